#include "engine/ops/inner_product.hpp"

#include "engine/gpu/gemm.hpp"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

class InnerProductStep : public Step {
 public:
  InnerProductStep(const InnerProduct& op, Gpu* gpu)
      : gemm_({op.inputs[0]->shape[0], op.num_output,
               static_cast<int>(op.weights->count / op.num_output),
               op.inputs[0]->type, op.outputs[0]->type,
               op.relu ? op.negative_slope : 1, false}, gpu),
        weights_(gpu->Constant(&op, "weights", op.inputs[0]->type,
                               [&] { return op.weights->Plain(); })),
        bias_(gpu->Constant(&op, "bias", op.outputs[0]->type,
                            [&] { return op.bias; })) {}

  virtual void Run(const Buffers& buffers) {
    gemm_.Run(buffers.inputs[0], weights_, bias_, NULL, buffers.outputs[0]);
  }
  virtual std::string Implementation() const { return "cuBLASLt"; }

 private:
  Gemm gemm_;
  const void *weights_, *bias_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const InnerProduct& op, Gpu* gpu) {
  return std::unique_ptr<Step>(new InnerProductStep(op, gpu));
}

}  // namespace engine
}  // namespace caffe
