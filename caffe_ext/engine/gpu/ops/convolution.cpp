#include "engine/ops/convolution.hpp"

#include "engine/gpu/direct_convolution.hpp"
#include "engine/gpu/dnn_convolution.hpp"
#include "engine/gpu/few_channels.hpp"
#include "engine/gpu/gemm.hpp"
#include "engine/gpu/grouped_3x3.hpp"
#include "engine/gpu/positions.hpp"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

bool IsMatrixProduct(const Convolution& op) {
  return op.group == 1 && op.kernel[0] == 1 && op.kernel[1] == 1 &&
      op.pad[0] == 0 && op.pad[1] == 0;
}

// Each position's channels times a matrix.
class MatrixProductStep : public Step {
 public:
  MatrixProductStep(const Convolution& op, Gpu* gpu)
      : gpu_(gpu), in_(*op.inputs[0]), out_(*op.outputs[0]),
        stride_{op.stride[0], op.stride[1]},
        residual_(op.inputs.size() > 1),
        gemm_({static_cast<int>(out_.count() / out_.shape[1]), out_.shape[1],
               in_.shape[1], in_.type, out_.type,
               op.relu ? op.negative_slope : 1, residual_}, gpu),
        weights_(gpu->Constant(&op, "weights", in_.type,
                               [&] { return op.weights->Plain(); })),
        bias_(gpu->Constant(&op, "bias", out_.type,
                            [&] { return op.bias; })) {}

  virtual void Run(const Buffers& buffers) {
    const void* x = buffers.inputs[0];
    if (Strides()) {
      TakePositions(in_, out_, stride_, x, buffers.scratch, gpu_->stream());
      x = buffers.scratch;
    }
    gemm_.Run(x, weights_, bias_, residual_ ? buffers.inputs[1] : NULL,
              buffers.outputs[0]);
  }
  virtual size_t ScratchFloats() const {
    return Strides() ? out_.count() / out_.shape[1] * in_.shape[1] : 0;
  }
  virtual std::string Implementation() const { return "cuBLASLt"; }

 private:
  bool Strides() const { return stride_[0] != 1 || stride_[1] != 1; }

  Gpu* const gpu_;
  const Value in_, out_;  // as they are now
  const int stride_[2];
  const bool residual_;
  Gemm gemm_;
  const void *weights_, *bias_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Convolution& op, Gpu* gpu) {
  if (IsMatrixProduct(op)) {
    return std::unique_ptr<Step>(new MatrixProductStep(op, gpu));
  }
  if (FitsGpuGrouped3x3(op, *gpu)) {
    return MakeGpuGrouped3x3({&op}, *op.inputs[0], *op.outputs[0], false, gpu);
  }
  if (FitsFewChannels(op, *gpu)) {
    return MakeFewChannels(op, gpu);
  }
  std::unique_ptr<Step> step;
  if (op.group == 1) { step = MakeDnnConvolution(op, gpu); }
  return step ? std::move(step) : MakeDirectConvolution(op, gpu);
}

}  // namespace engine
}  // namespace caffe
