#include "engine/ops/channels.hpp"

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

// The channels of one position in turn, wherever they lie.
struct Positions {
  explicit Positions(const Value& value)
      : channels(value.shape[1]), count(value.count() / channels),
        inner(value.ChannelsNeighbour() ? 1 : count / value.shape[0]) {}
  __device__ size_t first(size_t position) const {
    return position / inner * channels * inner + position % inner;
  }
  // Few channels, or those that lie apart: a thread takes a position alone,
  // beside its neighbours'.
  bool Alone() const { return inner > 1 || channels < kWarp; }
  int channels;
  size_t count;
  size_t inner;  // positions whose channels lie between each other: the step
};

// Of a block, whose warps' numbers meet in `shared`; the same in all threads.
template <typename F>
__device__ float OfBlock(float x, const F& f, float* shared) {
  x = OfWarp(x, f);
  __syncthreads();  // which others may be reading still
  if (threadIdx.x % kWarp == 0) { shared[threadIdx.x / kWarp] = x; }
  __syncthreads();
  x = shared[0];
  for (int i = 1; i < kThreads / kWarp; ++i) { x = f(x, shared[i]); }
  return x;
}

// NaN is in the sum all the same.
struct Maximum {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

struct SoftmaxAlone {
  template <int N>
  __device__ void At(size_t i) const {
    const size_t first = positions.first(i), step = positions.inner;
    float greatest = -INFINITY, sum = 0;
    for (int c = 0; c < positions.channels; ++c) {
      greatest = fmaxf(greatest, x[first + c * step]);
    }
    for (int c = 0; c < positions.channels; ++c) {
      sum += expf(x[first + c * step] - greatest);
    }
    for (int c = 0; c < positions.channels; ++c) {
      const size_t at = first + c * step;
      y[at] = expf(x[at] - greatest) / sum;
    }
  }

  const float* x;
  Positions positions;
  float* y;  // x, maybe
};

// A block takes a position.
__global__ void __launch_bounds__(kThreads)
SoftmaxKernel(const float* x, const int channels, float* y) {
  __shared__ float shared[kThreads / kWarp];
  const size_t first = static_cast<size_t>(blockIdx.x) * channels;
  float greatest = -INFINITY, sum = 0;
  for (int c = threadIdx.x; c < channels; c += kThreads) {
    greatest = fmaxf(greatest, x[first + c]);
  }
  greatest = OfBlock(greatest, Maximum(), shared);
  for (int c = threadIdx.x; c < channels; c += kThreads) {
    sum += expf(x[first + c] - greatest);
  }
  sum = OfBlock(sum, Plus(), shared);
  for (int c = threadIdx.x; c < channels; c += kThreads) {
    y[first + c] = expf(x[first + c] - greatest) / sum;
  }
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Softmax& op, Gpu* gpu) {
  const Positions positions(*op.inputs[0]);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const float* x = buffers.input(0);
    float* y = buffers.output(0);
    if (positions.Alone()) {
      Each<1>(0, positions.count, SoftmaxAlone{x, positions, y},
              gpu->stream());
    } else {
      SoftmaxKernel<<<positions.count, kThreads, 0, gpu->stream()>>>(
          x, positions.channels, y);
      CUDA_POST_KERNEL_CHECK;
    }
  }));
}

namespace {

template <bool kMaximum>
struct Pool {
  __device__ float operator()(float a, float b) const {
    return kMaximum ? Greater(a, b) : a + b;
  }
  static __device__ float First() { return kMaximum ? -INFINITY : 0; }
};

template <bool kMaximum>
struct PoolAlone {
  template <int N>
  __device__ void At(size_t i) const {
    const Pool<kMaximum> pool;
    const size_t first = positions.first(i);
    float result = pool.First();
    for (int c = 0; c < positions.channels; ++c) {
      result = pool(result, x[first + c * positions.inner]);
    }
    y[i] = kMaximum ? result : result / positions.channels;
  }

  const float* x;
  Positions positions;
  float* y;
};

// A warp takes a position.
template <bool kMaximum, int N>
__global__ void __launch_bounds__(kThreads)
PoolKernel(const float* x, const int channels, const size_t count, float* y) {
  const Pool<kMaximum> pool;
  const size_t position =
      static_cast<size_t>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (position >= count) {
    return;
  }
  float result = pool.First();
  for (int c = threadIdx.x * N; c < channels; c += kWarp * N) {
    float values[N];
    Load<N>(x + position * channels + c, values);
#pragma unroll
    for (int j = 0; j < N; ++j) { result = pool(result, values[j]); }
  }
  result = OfWarp(result, pool);
  if (threadIdx.x == 0) {
    y[position] = kMaximum ? result : result / channels;
  }
}

template <bool kMaximum>
std::unique_ptr<Step> MakePoolStep(const Positions& positions, Gpu* gpu) {
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const float* x = buffers.input(0);
    float* y = buffers.output(0);
    if (positions.Alone()) {
      Each<1>(0, positions.count, PoolAlone<kMaximum>{x, positions, y},
              gpu->stream());
      return;
    }
    const dim3 block(kWarp, kThreads / kWarp);
    ByWidth<kIn16Bytes<float> >(positions.channels | Place(x), [&](auto width) {
      PoolKernel<kMaximum, decltype(width)::value>
          <<<Blocks(positions.count, block.y), block, 0, gpu->stream()>>>(
          x, positions.channels, positions.count, y);
      CUDA_POST_KERNEL_CHECK;
    });
  }));
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const ChannelPooling& op, Gpu* gpu) {
  const Positions positions(*op.inputs[0]);
  return op.maximum ? MakePoolStep<true>(positions, gpu) :
      MakePoolStep<false>(positions, gpu);
}

}  // namespace engine
}  // namespace caffe
