#include "engine/layer_imports.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "caffe/layers/cudnn_batch_norm_layer.hpp"
#include "engine/ops/affine.hpp"
#include "engine/ops/channels.hpp"
#include "engine/ops/concat.hpp"
#include "engine/ops/convolution.hpp"
#include "engine/ops/eltwise.hpp"
#include "engine/ops/inner_product.hpp"
#include "engine/ops/interp.hpp"
#include "engine/ops/layout.hpp"
#include "engine/ops/pooling.hpp"

namespace caffe {
namespace engine {

namespace {

typedef std::unique_ptr<Op> OpPtr;
typedef std::vector<Value*> Values;

const LayerParameter& Param(const Layer<float>& layer) {
  return layer.layer_param();
}

std::vector<float> Numbers(const Blob<float>& blob) {
  return std::vector<float>(blob.cpu_data(), blob.cpu_data() + blob.count());
}

// A field of one or two numbers, or the fields for height and width.
template <typename Repeated>
void HeightAndWidth(const Repeated& both, bool has_h, int h, bool has_w, int w,
                    int otherwise, int* out) {
  for (int i = 0; i < 2; ++i) {
    out[i] = both.size() ? both.Get(std::min<int>(i, both.size() - 1)) :
        otherwise;
  }
  if (has_h || has_w) {
    out[0] = h;
    out[1] = w;
  }
}

OpPtr ImportConvolution(Layer<float>* layer, const Values& bottoms) {
  const ConvolutionParameter& param = Param(*layer).convolution_param();
  const Blob<float>& weights = *layer->blobs()[0];
  if (bottoms.size() != 1 || bottoms[0]->shape.size() != 4 ||
      (param.axis() != 1 && param.axis() != -3) || weights.num_axes() != 4) {
    return nullptr;
  }
  std::unique_ptr<Convolution> op(new Convolution);
  HeightAndWidth(param.stride(), param.has_stride_h(), param.stride_h(),
                 param.has_stride_w(), param.stride_w(), 1, op->stride);
  HeightAndWidth(param.pad(), param.has_pad_h(), param.pad_h(),
                 param.has_pad_w(), param.pad_w(), 0, op->pad);
  HeightAndWidth(param.dilation(), false, 0, false, 0, 1, op->dilation);
  op->kernel[0] = weights.shape(2);
  op->kernel[1] = weights.shape(3);
  op->num_output = weights.shape(0);
  op->group = bottoms[0]->shape[1] / weights.shape(1);
  dnnl::memory::dims dims = {op->num_output, weights.shape(1), op->kernel[0],
                             op->kernel[1]};
  if (op->group > 1) {
    dims[0] /= op->group;
    dims.insert(dims.begin(), op->group);
  }
  op->weights.reset(new PackedWeights(layer->blobs()[0], dims));
  op->bias.assign(op->num_output, 0);
  if (layer->blobs().size() > 1) {
    op->bias = Numbers(*layer->blobs()[1]);
  }
  return op;
}

OpPtr ImportInnerProduct(Layer<float>* layer, const Values& bottoms) {
  const InnerProductParameter& param = Param(*layer).inner_product_param();
  const Blob<float>& weights = *layer->blobs()[0];
  if (param.axis() != 1 || param.transpose()) {
    return nullptr;
  }
  std::unique_ptr<InnerProduct> op(new InnerProduct);
  op->num_output = param.num_output();
  op->weights.reset(new PackedWeights(layer->blobs()[0],
      {op->num_output, weights.count() / op->num_output}));
  op->bias.assign(op->num_output, 0);
  if (layer->blobs().size() > 1) {
    op->bias = Numbers(*layer->blobs()[1]);
  }
  return op;
}

// (x - mean) / sqrt(variance + eps) * scale + bias
OpPtr Normalization(const std::vector<float>& mean,
    const std::vector<float>& variance, double factor, double eps,
    const std::vector<float>* scale, const std::vector<float>* bias) {
  std::unique_ptr<Affine> op(new Affine);
  for (size_t c = 0; c < mean.size(); ++c) {
    const double inverse = (scale ? (*scale)[c] : 1) /
        std::sqrt(variance[c] * factor + eps);
    op->scale.push_back(inverse);
    op->shift.push_back((bias ? (*bias)[c] : 0) - mean[c] * factor * inverse);
  }
  return op;
}

OpPtr ImportBatchNorm(Layer<float>* layer, const Values& bottoms) {
  const BatchNormParameter& param = Param(*layer).batch_norm_param();
  if (param.has_use_global_stats() && !param.use_global_stats()) {
    return nullptr;
  }
  const float total = layer->blobs()[2]->cpu_data()[0];
  return Normalization(Numbers(*layer->blobs()[0]),
      Numbers(*layer->blobs()[1]), total == 0 ? 0 : 1. / total, param.eps(),
      NULL, NULL);
}

OpPtr ImportCuDNNBatchNorm(Layer<float>* layer, const Values& bottoms) {
  const std::vector<float> scale = Numbers(*layer->blobs()[0]);
  const std::vector<float> bias = Numbers(*layer->blobs()[1]);
  return Normalization(Numbers(*layer->blobs()[2]),
      Numbers(*layer->blobs()[3]), 1,
      static_cast<CuDNNBatchNormLayer<float>*>(layer)->eps(), &scale, &bias);
}

OpPtr ImportScale(Layer<float>* layer, const Values& bottoms) {
  const ScaleParameter& param = Param(*layer).scale_param();
  const std::vector<int>& x = bottoms[0]->shape;
  if (bottoms.size() == 2) {
    if (param.axis() != 0 || param.bias_term() ||
        bottoms[1]->shape.size() != 2 || x.size() < 2) {
      return nullptr;
    }
    return OpPtr(new Gate);
  }
  const Blob<float>& scale = *layer->blobs()[0];
  if (param.axis() != 1 || scale.num_axes() != 1 || x.size() < 2) {
    return nullptr;
  }
  std::unique_ptr<Affine> op(new Affine);
  op->scale.assign(scale.cpu_data(), scale.cpu_data() + scale.count());
  op->shift.assign(scale.count(), 0);
  if (param.bias_term()) {
    const Blob<float>& bias = *layer->blobs()[1];
    op->shift.assign(bias.cpu_data(), bias.cpu_data() + bias.count());
  }
  return op;
}

OpPtr ImportBias(Layer<float>* layer, const Values& bottoms) {
  if (bottoms.size() != 1 || Param(*layer).bias_param().axis() != 1 ||
      layer->blobs()[0]->num_axes() != 1 || bottoms[0]->shape.size() < 2) {
    return nullptr;
  }
  std::unique_ptr<Affine> op(new Affine);
  const Blob<float>& bias = *layer->blobs()[0];
  op->shift.assign(bias.cpu_data(), bias.cpu_data() + bias.count());
  op->scale.assign(bias.count(), 1);
  return op;
}

OpPtr ImportReLU(Layer<float>* layer, const Values& bottoms) {
  std::unique_ptr<Affine> op(new Affine);
  op->relu = true;
  op->negative_slope = Param(*layer).relu_param().negative_slope();
  return op;
}

OpPtr ImportSigmoid(Layer<float>* layer, const Values& bottoms) {
  return OpPtr(new Sigmoid);
}

OpPtr ImportAxpy(Layer<float>* layer, const Values& bottoms) {
  OpPtr op(new Gate);
  op->inputs = {bottoms[1], bottoms[0], bottoms[2]};
  return op;
}

OpPtr ImportEltwise(Layer<float>* layer, const Values& bottoms) {
  const EltwiseParameter& param = Param(*layer).eltwise_param();
  if (param.operation() == EltwiseParameter::PROD && bottoms.size() == 2) {
    return OpPtr(new Gate);
  }
  if (param.operation() != EltwiseParameter::SUM || bottoms.size() < 2) {
    return nullptr;
  }
  std::unique_ptr<Sum> op(new Sum);
  op->coefficients.assign(param.coeff().begin(), param.coeff().end());
  op->coefficients.resize(bottoms.size(), 1);
  return op;
}

OpPtr ImportPooling(Layer<float>* layer, const Values& bottoms) {
  const PoolingParameter& param = Param(*layer).pooling_param();
  if (param.pool() == PoolingParameter::STOCHASTIC) {
    return nullptr;
  }
  std::unique_ptr<Pooling> op(new Pooling);
  op->global = param.global_pooling();
  op->maximum = param.pool() == PoolingParameter::MAX;
  op->ceil = param.round_mode() == PoolingParameter::CEIL;
  op->kernel[0] = param.has_kernel_h() ? param.kernel_h() :
      param.kernel_size();
  op->kernel[1] = param.has_kernel_w() ? param.kernel_w() :
      param.kernel_size();
  op->stride[0] = param.has_stride_h() ? param.stride_h() : param.stride();
  op->stride[1] = param.has_stride_w() ? param.stride_w() : param.stride();
  op->pad[0] = param.has_pad_h() ? param.pad_h() : param.pad();
  op->pad[1] = param.has_pad_w() ? param.pad_w() : param.pad();
  return op;
}

// A layer's axis, counted from the first; the field of older prototxts wins.
int Axis(bool has_old, int old, int axis, const Value& value) {
  const int chosen = has_old ? old : axis;
  return chosen < 0 ? chosen + static_cast<int>(value.shape.size()) : chosen;
}

OpPtr ImportSoftmax(Layer<float>* layer, const Values& bottoms) {
  return Axis(false, 0, Param(*layer).softmax_param().axis(),
              *bottoms[0]) == 1 ? OpPtr(new Softmax) : nullptr;
}

OpPtr ImportChannelPooling(Layer<float>* layer, const Values& bottoms) {
  std::unique_ptr<ChannelPooling> op(new ChannelPooling);
  op->maximum =
      Param(*layer).pooling_param().pool() == PoolingParameter::MAX;
  return op;
}

OpPtr ImportBroadcastProduct(Layer<float>* layer, const Values& bottoms) {
  // x is the larger one, whose memory the product may take.
  const bool swap = bottoms[0]->count() < bottoms[1]->count();
  OpPtr op(new Gate);
  op->inputs = {bottoms[swap], bottoms[!swap]};
  return op;
}

OpPtr ImportInterp(Layer<float>* layer, const Values& bottoms) {
  const InterpParameter& param = Param(*layer).interp_param();
  std::unique_ptr<Interp> op(new Interp);
  op->size[0] = param.height();
  op->size[1] = param.width();
  op->zoom = param.zoom_factor();
  op->shrink = param.shrink_factor();
  return op;
}

OpPtr ImportConcat(Layer<float>* layer, const Values& bottoms) {
  const ConcatParameter& param = Param(*layer).concat_param();
  std::unique_ptr<Concat> op(new Concat);
  op->axis = Axis(param.has_concat_dim(), param.concat_dim(), param.axis(),
                  *bottoms[0]);
  return op;
}

OpPtr ImportSlice(Layer<float>* layer, const Values& bottoms) {
  const SliceParameter& param = Param(*layer).slice_param();
  std::unique_ptr<Slice> op(new Slice);
  op->axis = Axis(param.has_slice_dim(), param.slice_dim(), param.axis(),
                  *bottoms[0]);
  op->points.assign(param.slice_point().begin(), param.slice_point().end());
  return op;
}

OpPtr ImportReshape(Layer<float>* layer, const Values& bottoms) {
  const ReshapeParameter& param = Param(*layer).reshape_param();
  std::unique_ptr<View> op(new View);
  op->dims.assign(param.shape().dim().begin(), param.shape().dim().end());
  op->axis = param.axis();
  op->num_axes = param.num_axes();
  return op;
}

OpPtr ImportFlatten(Layer<float>* layer, const Values& bottoms) {
  const FlattenParameter& param = Param(*layer).flatten_param();
  const int axes = bottoms[0]->shape.size();
  std::unique_ptr<View> op(new View);
  const int end = param.end_axis() < 0 ? param.end_axis() + axes :
      param.end_axis();
  op->axis = param.axis() < 0 ? param.axis() + axes : param.axis();
  op->num_axes = end - op->axis + 1;
  op->dims = {-1};
  return op;
}

}  // namespace

OpPtr ImportLayer(Layer<float>* layer, const Values& bottoms, int num_tops) {
  typedef OpPtr (*Import)(Layer<float>*, const Values&);
  static const std::map<std::string, Import> imports = {
    {"Axpy", ImportAxpy}, {"BatchNorm", ImportBatchNorm},
    {"Bias", ImportBias}, {"BroadcastProduct", ImportBroadcastProduct},
    {"ChannelPooling", ImportChannelPooling}, {"Concat", ImportConcat},
    {"Convolution", ImportConvolution},
    {"CuDNNBatchNorm", ImportCuDNNBatchNorm},
    {"DepthwiseConvolution", ImportConvolution},
    {"Eltwise", ImportEltwise}, {"Flatten", ImportFlatten},
    {"InnerProduct", ImportInnerProduct}, {"Interp", ImportInterp},
    {"Pooling", ImportPooling},
    {"ReLU", ImportReLU}, {"Reshape", ImportReshape},
    {"Scale", ImportScale}, {"Sigmoid", ImportSigmoid},
    {"Slice", ImportSlice}, {"Softmax", ImportSoftmax},
  };
  const auto found = imports.find(layer->type());
  const bool counts = num_tops == 1 ||
      (found != imports.end() && found->first == "Slice");
  if (found == imports.end() || bottoms.empty() || !counts) {
    return nullptr;
  }
  OpPtr op = found->second(layer, bottoms);
  if (op && op->inputs.empty()) {
    op->inputs = bottoms;
  }
  return op;
}

}  // namespace engine
}  // namespace caffe
