#include <unistd.h>

#include <string>
#include <vector>

#include "caffe/layers/onednn_conv_layer.hpp"

namespace caffe {

namespace {

// Why there can be no such layer; empty where there can.
template <typename Dtype>
std::string Obstacle() {
#ifndef USE_ONEDNN
  return "this build of Caffe has no oneDNN";
#else
  if (sizeof(Dtype) != sizeof(float)) {
    return "it computes in single precision only";
  }
  if (Caffe::mode() != Caffe::CPU) {
    return "it computes in CPU mode only";
  }
#ifdef __x86_64__
  // Without it, Caffe's own code is not slower.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return "this CPU has no AVX2 and FMA";
  }
#endif
  return "";
#endif
}

template <typename Dtype>
shared_ptr<Layer<Dtype> > Make(const LayerParameter& param);

template <>
shared_ptr<Layer<double> > Make(const LayerParameter& param) {
  return shared_ptr<Layer<double> >();
}

template <>
shared_ptr<Layer<float> > Make(const LayerParameter& param) {
#ifdef USE_ONEDNN
  return shared_ptr<Layer<float> >(new OneDNNConvolutionLayer(param));
#else
  return shared_ptr<Layer<float> >();
#endif
}

}  // namespace

template <typename Dtype>
shared_ptr<Layer<Dtype> > GetOneDNNConvolutionLayer(
    const LayerParameter& param) {
  const ConvolutionParameter_Engine engine = param.convolution_param().engine();
  const std::string obstacle = Obstacle<Dtype>();
  CHECK(engine != ConvolutionParameter_Engine_ONEDNN || obstacle.empty())
      << "Convolution layer '" << param.name() << "': no engine ONEDNN: "
      << obstacle;
  const bool wanted = engine == ConvolutionParameter_Engine_ONEDNN
      || engine == ConvolutionParameter_Engine_DEFAULT;
  return wanted && obstacle.empty() ? Make<Dtype>(param)
      : shared_ptr<Layer<Dtype> >();
}

template shared_ptr<Layer<float> > GetOneDNNConvolutionLayer(
    const LayerParameter& param);
template shared_ptr<Layer<double> > GetOneDNNConvolutionLayer(
    const LayerParameter& param);

#ifdef USE_ONEDNN

void OneDNNConvolutionLayer::Reshape(const vector<Blob<float>*>& bottom,
    const vector<Blob<float>*>& top) {
  ConvolutionLayer<float>::Reshape(bottom, top);
  const bool possible = num_spatial_axes_ == 2 && !force_nd_im2col_
      && bottom[0]->count() > 0 && top[0]->count() > 0;
  const ConvolutionShape shape = possible ? convolution_shape()
      : ConvolutionShape();
  if (!(shape == shape_)) {
    convolution_ = OneDNNConvolution::Make(shape, bias_term_);
    shape_ = shape;
  }
  CHECK(convolution_ || layer_param_.convolution_param().engine()
        != ConvolutionParameter_Engine_ONEDNN)
      << "Convolution layer '" << layer_param_.name()
      << "': engine ONEDNN has no kernel for bottom[0], which is "
      << bottom[0]->shape_string();
}

bool OneDNNConvolutionLayer::OneDNNRuns() const {
  // A fork has none of OpenMP's threads, for which GNU's would wait.
  static const pid_t process = getpid();
  return convolution_ && getpid() == process;
}

void OneDNNConvolutionLayer::Forward_cpu(const vector<Blob<float>*>& bottom,
    const vector<Blob<float>*>& top) {
  if (!OneDNNRuns()) {
    ConvolutionLayer<float>::Forward_cpu(bottom, top);
    return;
  }
  const float* weights = blobs_[0]->cpu_data();
  const float* bias = bias_term_ ? blobs_[1]->cpu_data() : NULL;
  for (size_t i = 0; i < bottom.size(); ++i) {
    convolution_->Forward(bottom[i]->cpu_data(), weights, bias,
        top[i]->mutable_cpu_data());
  }
}

void OneDNNConvolutionLayer::Backward_cpu(const vector<Blob<float>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<float>*>& bottom) {
  if (!OneDNNRuns()) {
    ConvolutionLayer<float>::Backward_cpu(top, propagate_down, bottom);
    return;
  }
  const bool to_weights = param_propagate_down_[0];
  const bool to_bias = bias_term_ && param_propagate_down_[1];
  const float* weights = blobs_[0]->cpu_data();
  for (size_t i = 0; i < top.size(); ++i) {
    const float* top_diff = top[i]->cpu_diff();
    if (to_weights) {
      convolution_->BackwardWeights(bottom[i]->cpu_data(), top_diff,
          blobs_[0]->mutable_cpu_diff(),
          to_bias ? blobs_[1]->mutable_cpu_diff() : NULL);
    } else if (to_bias) {
      for (int n = 0; n < num_; ++n) {
        backward_cpu_bias(blobs_[1]->mutable_cpu_diff(), top_diff + n * top_dim_);
      }
    }
    if (propagate_down[i]) {
      convolution_->BackwardData(top_diff, weights,
          bottom[i]->mutable_cpu_diff());
    }
  }
}

#endif  // USE_ONEDNN

}  // namespace caffe
