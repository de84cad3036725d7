#include "engine/ops/excitation.hpp"

#include "engine/gpu/bottleneck.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

const int kWarps = kThreads / kWarp;

// The gate, batch x outputs, of hidden numbers: what follows those is linear. A
// block takes as many outputs as a warp has threads for kImages images: each warp
// its share of the hidden numbers, and then an image.
template <int kImages>
__global__ void __launch_bounds__(kThreads)
GateKernel(const GpuBottleneck b, int batch, int vectors, const float* hidden,
           float* y) {
  static_assert(kImages <= kWarps, "a warp for each image");
  __shared__ float shares[kWarps][kImages][kWarp];
  const int o = blockIdx.x * kWarp + threadIdx.x;
  const int first = blockIdx.y * kImages;
  float sums[kImages] = {0};
  if (o < b.outputs) {
#pragma unroll 4
    for (int h = threadIdx.y; h < b.hidden; h += kWarps) {
      const float weight = b.expand[static_cast<size_t>(h) * b.outputs + o];
#pragma unroll
      for (int i = 0; i < kImages; ++i) {
        const int n = min(first + i, batch - 1);
        sums[i] += weight * hidden[static_cast<size_t>(n) * b.hidden + h];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kImages; ++i) {
    shares[threadIdx.y][i][threadIdx.x] = sums[i];
  }
  __syncthreads();
  const int i = threadIdx.y, n = first + i;
  if (i < kImages && n < batch && o < b.outputs) {
    float sum = vectors * b.bias[o];
    for (int share = 0; share < kWarps; ++share) {
      sum += shares[share][i][threadIdx.x];
    }
    y[static_cast<size_t>(n) * b.outputs + o] = 1 / (1 + expf(-sum));
  }
}

class ExcitationStep : public Step {
 public:
  ExcitationStep(const Excitation& op, Gpu* gpu)
      : gpu_(gpu), gate_(op, op.gate, gpu), batch_(op.inputs[0]->shape[0]),
        vectors_(op.inputs[0]->shape[2]) {}

  virtual void Run(const Buffers& buffers) {
    SumHidden(gate_, batch_, vectors_, buffers.input(0), buffers.scratch,
              gpu_->stream());
    const int images = batch_ < kWarps ? 1 : kWarps;
    const auto gate = images == 1 ? GateKernel<1> : GateKernel<kWarps>;
    gate<<<dim3(Blocks(gate_.outputs, kWarp), Blocks(batch_, images)),
           dim3(kWarp, kWarps), 0, gpu_->stream()>>>(
        gate_, batch_, vectors_, buffers.scratch, buffers.output(0));
    CUDA_POST_KERNEL_CHECK;
  }

  virtual size_t ScratchFloats() const {
    return static_cast<size_t>(batch_) * gate_.hidden;
  }

 private:
  Gpu* const gpu_;
  const GpuBottleneck gate_;
  const int batch_, vectors_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Excitation& op, Gpu* gpu) {
  return std::unique_ptr<Step>(new ExcitationStep(op, gpu));
}

}  // namespace engine
}  // namespace caffe
