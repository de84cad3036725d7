#include "engine/ops/inner_product.hpp"

#include "engine/gpu/gemm.hpp"
#include "engine/gpu/positions.hpp"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

class InnerProductStep : public Step {
 public:
  InnerProductStep(const InnerProduct& op, Gpu* gpu)
      : gpu_(gpu), out_(*op.outputs[0]),
        slope_(op.relu ? op.negative_slope : 1),
        gemm_({op.inputs[0]->shape[0], op.num_output,
               static_cast<int>(op.weights->count / op.num_output),
               op.inputs[0]->type, out_.type, slope_ == 0, false}, gpu),
        weights_(gpu->Constant(&op, "weights", op.inputs[0]->type,
                               [&] { return op.weights->Plain(); })),
        bias_(gpu->Constant(&op, "bias", out_.type,
                            [&] { return op.bias; })) {}

  virtual void Run(const Buffers& buffers) {
    void* y = buffers.outputs[0];
    gemm_.Run(buffers.inputs[0], weights_, bias_, NULL, y);
    if (slope_ != 0 && slope_ != 1) {
      LeakyReLU(slope_, out_, y, gpu_->stream());
    }
  }
  virtual std::string Implementation() const { return "cuBLASLt"; }

 private:
  Gpu* const gpu_;
  const Value out_;  // as it is now
  const float slope_;
  Gemm gemm_;
  const void *weights_, *bias_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const InnerProduct& op, Gpu* gpu) {
  return std::unique_ptr<Step>(new InnerProductStep(op, gpu));
}

}  // namespace engine
}  // namespace caffe
