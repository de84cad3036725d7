#include "engine/gpu/dnn_convolution.hpp"

#include <algorithm>

#include "caffe/util/cudnn.hpp"
#include "engine/gpu/positions.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// The only one that cuDNN has for NHWC.
const cudnnConvolutionFwdAlgo_t kAlgorithm =
    CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

cudnnDataType_t DataType(Type type) {
  return type == Type::F16 ? CUDNN_DATA_HALF :
      type == Type::BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

// Outputs x height x width x inputs, to which zeros are added.
std::vector<float> ChannelsLast(const Convolution& op, int padded) {
  const std::vector<float> plain = op.weights->Plain();
  const int inputs = op.in_per_group(), taps = op.kernel[0] * op.kernel[1];
  std::vector<float> turned(plain.size() / inputs * padded);
  for (size_t i = 0; i < plain.size(); ++i) {
    const size_t output = i / taps / inputs, input = i / taps % inputs;
    turned[(output * taps + i % taps) * padded + input] = plain[i];
  }
  return turned;
}

class DnnConvolutionStep : public Step {
 public:
  DnnConvolutionStep(const Convolution& op, Gpu* gpu)
      : gpu_(gpu), in_(*op.inputs[0]), out_(*op.outputs[0]),
        residual_(op.inputs.size() > 1),
        slope_(op.relu ? op.negative_slope : 1), channels_(in_.shape[1]) {
    // Tensor Cores take eight of 16 bits at a time.
    if (in_.type != Type::F32) {
      channels_ = (channels_ + 7) / 8 * 8;
    }
    weights_ = gpu->Constant(&op, "channels last", in_.type, [&] {
      return ChannelsLast(op, channels_);
    });
    bias_ = gpu->Constant(&op, "bias", in_.type, [&] { return op.bias; });

    CUDNN_CHECK(cudnnCreateTensorDescriptor(&x_desc_));
    CUDNN_CHECK(cudnnCreateTensorDescriptor(&y_desc_));
    CUDNN_CHECK(cudnnCreateTensorDescriptor(&bias_desc_));
    CUDNN_CHECK(cudnnCreateFilterDescriptor(&weights_desc_));
    CUDNN_CHECK(cudnnCreateConvolutionDescriptor(&convolution_));
    CUDNN_CHECK(cudnnCreateActivationDescriptor(&activation_));
    const cudnnDataType_t type = DataType(in_.type);
    const auto tensor = [&](cudnnTensorDescriptor_t desc, int n, int c, int h,
                            int w) {
      CUDNN_CHECK(cudnnSetTensor4dDescriptor(desc, CUDNN_TENSOR_NHWC, type, n,
                                             c, h, w));
    };
    tensor(x_desc_, in_.shape[0], channels_, in_.shape[2], in_.shape[3]);
    tensor(y_desc_, out_.shape[0], out_.shape[1], out_.shape[2], out_.shape[3]);
    tensor(bias_desc_, 1, out_.shape[1], 1, 1);
    CUDNN_CHECK(cudnnSetFilter4dDescriptor(weights_desc_, type,
        CUDNN_TENSOR_NHWC, op.num_output, channels_, op.kernel[0],
        op.kernel[1]));
    CUDNN_CHECK(cudnnSetConvolution2dDescriptor(convolution_, op.pad[0],
        op.pad[1], op.stride[0], op.stride[1], op.dilation[0], op.dilation[1],
        CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    CUDNN_CHECK(cudnnSetConvolutionMathType(convolution_,
        in_.type != Type::F32 || gpu->tf32() ? CUDNN_TENSOR_OP_MATH :
        CUDNN_FMA_MATH));
    CUDNN_CHECK(cudnnSetActivationDescriptor(activation_,
        slope_ == 0 ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY,
        CUDNN_PROPAGATE_NAN, 0));
    supported_ = cudnnGetConvolutionForwardWorkspaceSize(gpu->dnn(), x_desc_,
        weights_desc_, convolution_, y_desc_, kAlgorithm, &workspace_) ==
        CUDNN_STATUS_SUCCESS;
  }
  bool supported() const { return supported_; }

  virtual void Run(const Buffers& buffers) {
    const void* x = buffers.inputs[0];
    char* scratch = reinterpret_cast<char*>(buffers.scratch);
    if (channels_ != in_.shape[1]) {
      PadChannels(in_, channels_, x, scratch, gpu_->stream());
      x = scratch;
    }
    const float one = 1, sum = residual_ ? 1 : 0;
    void* y = buffers.outputs[0];
    CUDNN_CHECK(cudnnConvolutionBiasActivationForward(gpu_->dnn(), &one,
        x_desc_, x, weights_desc_, weights_, convolution_, kAlgorithm,
        scratch + PaddedBytes(), workspace_, &sum, y_desc_,
        residual_ ? buffers.inputs[1] : y, bias_desc_, bias_, activation_,
        y_desc_, y));
    if (slope_ != 0 && slope_ != 1) {
      LeakyReLU(slope_, out_.type, out_.count(), y, gpu_->stream());
    }
  }
  virtual size_t ScratchFloats() const {
    return (PaddedBytes() + workspace_) / sizeof(float) + 1;
  }
  virtual std::string Implementation() const { return "cuDNN"; }

 private:
  size_t PaddedBytes() const {
    const size_t bytes = channels_ == in_.shape[1] ? 0 :
        in_.bytes() / in_.shape[1] * channels_;
    return (bytes + 255) / 256 * 256;
  }

  Gpu* const gpu_;
  const Value in_, out_;  // as they are now
  const bool residual_;
  const float slope_;
  int channels_;  // of x, once they are padded
  const void *weights_, *bias_;
  Owned<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor> x_desc_, y_desc_,
      bias_desc_;
  Owned<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor> weights_desc_;
  Owned<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor>
      convolution_;
  Owned<cudnnActivationDescriptor_t, cudnnDestroyActivationDescriptor>
      activation_;
  size_t workspace_;
  bool supported_;
};

}  // namespace

std::unique_ptr<Step> MakeDnnConvolution(const Convolution& op, Gpu* gpu) {
  std::unique_ptr<DnnConvolutionStep> step(new DnnConvolutionStep(op, gpu));
  return step->supported() ? std::move(step) : NULL;
}

}  // namespace engine
}  // namespace caffe
