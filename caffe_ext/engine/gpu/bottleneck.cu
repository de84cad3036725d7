#include "engine/gpu/bottleneck.hpp"

#include "engine/gpu/kernel.cuh"

namespace caffe {
namespace engine {

namespace {

const int kWarps = kThreads / kWarp;

// A warp takes one of the hidden numbers for kImages images, and so reads a row of
// weights once; N of its channels at a time.
template <int kImages, int N>
__global__ void __launch_bounds__(kThreads)
HiddenKernel(const GpuBottleneck b, int batch, int vectors, const float* x,
             float* y) {
  const int h = blockIdx.x * kWarps + threadIdx.y;
  const int first = blockIdx.y * kImages;
  if (h >= b.hidden) {
    return;
  }
  const float* weights = b.reduce + static_cast<size_t>(h) * b.channels;
  const size_t image = static_cast<size_t>(vectors) * b.channels;
  float sums[kImages] = {0};
  for (int v = 0; v < vectors; ++v) {
    float dots[kImages] = {0};
    for (int c = threadIdx.x * N; c < b.channels; c += kWarp * N) {
      float w[N];
      Load<N>(weights + c, w);
#pragma unroll
      for (int i = 0; i < kImages; ++i) {
        // Images beyond the last are that again, for nobody.
        const int n = min(first + i, batch - 1);
        float values[N];
        Load<N>(x + n * image + static_cast<size_t>(v) * b.channels + c,
                values);
#pragma unroll
        for (int j = 0; j < N; ++j) { dots[i] += w[j] * values[j]; }
      }
    }
#pragma unroll
    for (int i = 0; i < kImages; ++i) {
      const float sum = OfWarp(dots[i], Plus()) + b.reduce_bias[h];
      sums[i] += sum > 0 ? sum : b.negative_slope * sum;
    }
  }
  if (threadIdx.x == 0) {
#pragma unroll
    for (int i = 0; i < kImages; ++i) {
      if (first + i < batch) {
        y[static_cast<size_t>(first + i) * b.hidden + h] = sums[i];
      }
    }
  }
}

template <int kImages>
void SumHiddenOf(const GpuBottleneck& b, int batch, int vectors, const float* x,
    float* y, cudaStream_t stream) {
  const dim3 grid(Blocks(b.hidden, kWarps), Blocks(batch, kImages));
  ByWidth<kIn16Bytes<float> >(b.channels | Place(x), [&](auto width) {
    HiddenKernel<kImages, decltype(width)::value>
        <<<grid, dim3(kWarp, kWarps), 0, stream>>>(b, batch, vectors, x, y);
    CUDA_POST_KERNEL_CHECK;
  });
}

}  // namespace

GpuBottleneck::GpuBottleneck(const Op& op, const Bottleneck& weights, Gpu* gpu)
    : negative_slope(weights.negative_slope()), channels(weights.channels()),
      hidden(weights.reduce_bias().size()), outputs(weights.bias().size()) {
  const auto constant = [&](const char* name,
                            const std::vector<float>& values) {
    return gpu->Constant<float>(&op, name, Type::F32, [&] { return values; });
  };
  reduce = constant("reduce", weights.reduce());
  reduce_bias = constant("reduce bias", weights.reduce_bias());
  expand = constant("expand", weights.expand());
  bias = constant("bias", weights.bias());
}

void SumHidden(const GpuBottleneck& weights, int batch, int vectors,
    const float* x, float* y, cudaStream_t stream) {
  const auto sum = batch < kWarps ? SumHiddenOf<1> : SumHiddenOf<kWarps>;
  sum(weights, batch, vectors, x, y, stream);
}

}  // namespace engine
}  // namespace caffe
