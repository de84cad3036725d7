#include "engine/ops/excitation.hpp"

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

const int kWarps = kThreads / kWarp;

// A bottleneck's weights as Bottleneck has them, and what it is given.
struct Excited {
  const float *reduce, *reduce_bias, *expand, *bias;
  GpuActivation activation;
  int batch, channels, hidden, outputs, vectors;
};

// The hidden numbers, batch x hidden, of each image's vectors added up: what
// follows them is linear. A warp takes one of them for kImages images, and so
// reads a row of weights once; N of its channels at a time.
template <int kImages, int N>
__global__ void __launch_bounds__(kThreads)
HiddenKernel(const Excited e, const float* x, float* hidden) {
  const int h = blockIdx.x * kWarps + threadIdx.y;
  const int first = blockIdx.y * kImages;
  if (h >= e.hidden) {
    return;
  }
  const float* weights = e.reduce + static_cast<size_t>(h) * e.channels;
  const size_t image = static_cast<size_t>(e.vectors) * e.channels;
  float sums[kImages] = {0};
  for (int v = 0; v < e.vectors; ++v) {
    float dots[kImages] = {0};
    for (int c = threadIdx.x * N; c < e.channels; c += kWarp * N) {
      float w[N];
      Load<N>(weights + c, w);
#pragma unroll
      for (int i = 0; i < kImages; ++i) {
        // Images beyond the last are that again, for nobody.
        const int n = min(first + i, e.batch - 1);
        float values[N];
        Load<N>(x + n * image + static_cast<size_t>(v) * e.channels + c,
                values);
#pragma unroll
        for (int j = 0; j < N; ++j) { dots[i] += w[j] * values[j]; }
      }
    }
#pragma unroll
    for (int i = 0; i < kImages; ++i) {
      const float dot = OfWarp(dots[i], Plus());
      sums[i] += e.activation(dot + e.reduce_bias[h]);
    }
  }
  if (threadIdx.x == 0) {
#pragma unroll
    for (int i = 0; i < kImages; ++i) {
      if (first + i < e.batch) {
        hidden[static_cast<size_t>(first + i) * e.hidden + h] = sums[i];
      }
    }
  }
}

// The gate, batch x outputs. A block takes as many outputs as a warp has threads
// for kImages images: each warp its share of the hidden numbers, and then an
// image.
template <int kImages>
__global__ void __launch_bounds__(kThreads)
GateKernel(const Excited e, const float* hidden, float* y) {
  static_assert(kImages <= kWarps, "a warp for each image");
  __shared__ float shares[kWarps][kImages][kWarp];
  const int o = blockIdx.x * kWarp + threadIdx.x;
  const int first = blockIdx.y * kImages;
  float sums[kImages] = {0};
  if (o < e.outputs) {
#pragma unroll 4
    for (int h = threadIdx.y; h < e.hidden; h += kWarps) {
      const float weight = e.expand[static_cast<size_t>(h) * e.outputs + o];
#pragma unroll
      for (int i = 0; i < kImages; ++i) {
        const int n = min(first + i, e.batch - 1);
        sums[i] += weight * hidden[static_cast<size_t>(n) * e.hidden + h];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kImages; ++i) {
    shares[threadIdx.y][i][threadIdx.x] = sums[i];
  }
  __syncthreads();
  const int i = threadIdx.y, n = first + i;
  if (i < kImages && n < e.batch && o < e.outputs) {
    float sum = e.vectors * e.bias[o];
    for (int share = 0; share < kWarps; ++share) {
      sum += shares[share][i][threadIdx.x];
    }
    y[static_cast<size_t>(n) * e.outputs + o] = 1 / (1 + expf(-sum));
  }
}

template <int kImages>
void Excite(const Excited& e, const float* x, float* hidden, float* y,
            cudaStream_t stream) {
  const dim3 block(kWarp, kWarps);
  const unsigned int groups = Blocks(e.batch, kImages);
  ByWidth<kIn16Bytes<float> >(e.channels | Place(x), [&](auto width) {
    HiddenKernel<kImages, decltype(width)::value>
        <<<dim3(Blocks(e.hidden, kWarps), groups), block, 0, stream>>>(
        e, x, hidden);
    CUDA_POST_KERNEL_CHECK;
  });
  GateKernel<kImages>
      <<<dim3(Blocks(e.outputs, kWarp), groups), block, 0, stream>>>(
      e, hidden, y);
  CUDA_POST_KERNEL_CHECK;
}

class ExcitationStep : public Step {
 public:
  ExcitationStep(const Excitation& op, Gpu* gpu) : gpu_(gpu), e_{
      Weights(op, "reduce", op.gate.reduce()),
      Weights(op, "reduce_bias", op.gate.reduce_bias()),
      Weights(op, "expand", op.gate.expand()),
      Weights(op, "bias", op.gate.bias()),
      GpuActivation(true, op.gate.negative_slope()),
      op.inputs[0]->shape[0], op.gate.channels(),
      static_cast<int>(op.gate.reduce_bias().size()),
      static_cast<int>(op.gate.bias().size()), op.inputs[0]->shape[2]} {}

  virtual void Run(const Buffers& buffers) {
    const auto excite = e_.batch < kWarps ? Excite<1> : Excite<kWarps>;
    excite(e_, buffers.input(0), buffers.scratch, buffers.output(0),
           gpu_->stream());
  }

  virtual size_t ScratchFloats() const {
    return static_cast<size_t>(e_.batch) * e_.hidden;
  }

 private:
  const float* Weights(const Excitation& op, const std::string& what,
                       const std::vector<float>& values) const {
    return gpu_->Constant<float>(&op, what, Type::F32, [&] { return values; });
  }

  Gpu* const gpu_;
  const Excited e_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Excitation& op, Gpu* gpu) {
  return std::unique_ptr<Step>(new ExcitationStep(op, gpu));
}

}  // namespace engine
}  // namespace caffe
