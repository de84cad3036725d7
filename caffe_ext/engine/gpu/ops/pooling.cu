#include "engine/ops/pooling.hpp"

#include <algorithm>

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

struct Windows {
  explicit Windows(const Pooling& op) : channels(op.inputs[0]->shape[1]) {
    for (int i = 0; i < 2; ++i) {
      in[i] = op.inputs[0]->shape[2 + i];
      out[i] = op.outputs[0]->shape[2 + i];
      kernel[i] = op.global ? in[i] : op.kernel[i];
      stride[i] = op.stride[i];
      pad[i] = op.pad[i];
    }
  }
  // One window, of all positions.
  bool AreWhole() const {
    return out[0] * out[1] == 1 && kernel[0] == in[0] && kernel[1] == in[1] &&
        pad[0] == 0 && pad[1] == 0;
  }
  int channels;
  int in[2], out[2], kernel[2], stride[2], pad[2];  // height, width
};

template <typename T, bool kMaximum>
struct PoolingOf {
  template <int N>
  __device__ void At(size_t i) const {
    const size_t position = i / w.channels, rows = position / w.out[1];
    const int at[2] = {static_cast<int>(rows % w.out[0]),
                       static_cast<int>(position % w.out[1])};
    int begin[2], end[2], area = 1;
#pragma unroll
    for (int k = 0; k < 2; ++k) {
      const int start = at[k] * w.stride[k] - w.pad[k];
      end[k] = min(start + w.kernel[k], w.in[k] + w.pad[k]);
      area *= end[k] - start;
      begin[k] = max(start, 0);
      end[k] = min(end[k], w.in[k]);
    }
    const T* image = x + rows / w.out[0] * w.in[0] * w.in[1] * w.channels +
        i % w.channels;
    float result[N];
#pragma unroll
    for (int j = 0; j < N; ++j) { result[j] = kMaximum ? -INFINITY : 0; }
    for (int row = begin[0]; row < end[0]; ++row) {
      for (int column = begin[1]; column < end[1]; ++column) {
        float values[N];
        Load<N>(image + (static_cast<size_t>(row) * w.in[1] + column) *
                w.channels, values);
#pragma unroll
        for (int j = 0; j < N; ++j) {
          result[j] = kMaximum ? Greater(result[j], values[j]) :
              result[j] + values[j];
        }
      }
    }
    if (!kMaximum) {
#pragma unroll
      for (int j = 0; j < N; ++j) { result[j] /= area; }
    }
    Store<N>(result, y + i);
  }

  const T* x;
  Windows w;
  T* y;
};

// Over the positions of inputs, images x positions x channels: images x parts x
// channels, each for its part of the positions. A block: an image, threadIdx.x's
// channels, a part.
template <typename T, typename To, bool kMaximum, int N>
__global__ void __launch_bounds__(kThreads)
ReduceKernel(const __grid_constant__ Addresses<const T> x, const int positions,
             const int channels, const float divisor, To* y) {
  const int c = (blockIdx.y * blockDim.x + threadIdx.x) * N;
  const int64_t part = blockIdx.z, parts = gridDim.z;
  const int begin = positions * part / parts;
  const int end = positions * (part + 1) / parts;
  float total[N];
#pragma unroll
  for (int j = 0; j < N; ++j) { total[j] = kMaximum ? -INFINITY : 0; }
  if (c < channels) {
    for (int k = 0; k < x.count; ++k) {
      const T* image =
          x.at[k] + static_cast<size_t>(blockIdx.x) * positions * channels + c;
#pragma unroll 4
      for (int p = begin + threadIdx.y; p < end; p += blockDim.y) {
        float values[N];
        Load<N>(image + static_cast<size_t>(p) * channels, values);
#pragma unroll
        for (int j = 0; j < N; ++j) {
          total[j] = kMaximum ? Greater(total[j], values[j]) :
              total[j] + values[j];
        }
      }
    }
  }
  // The block's rows of threads, by halves: blockDim.y is a power of 2.
  __shared__ float totals[N][kThreads];
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
  for (int j = 0; j < N; ++j) { totals[j][thread] = total[j]; }
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) {
      const int other = thread + half * blockDim.x;
#pragma unroll
      for (int j = 0; j < N; ++j) {
        totals[j][thread] = kMaximum ?
            Greater(totals[j][thread], totals[j][other]) :
            totals[j][thread] + totals[j][other];
      }
    }
  }
  if (threadIdx.y == 0 && c < channels) {  // its own numbers
#pragma unroll
    for (int j = 0; j < N; ++j) { total[j] = totals[j][thread] / divisor; }
    Store<N>(total, y + (blockIdx.x * parts + part) * channels + c);
  }
}

// A maximum, or mean of the inputs' sum, over all positions: in one go, or, where
// images and channels are too few to keep the GPU busy, of parts of the positions
// first and then of what they gave.
template <typename T, typename To, bool kMaximum>
class ReduceStep : public Step {
 public:
  ReduceStep(const Op& op, Gpu* gpu)
      : gpu_(gpu), batch_(op.inputs[0]->shape[0]),
        channels_(op.inputs[0]->shape[1]),
        positions_(op.inputs[0]->shape[2] * op.inputs[0]->shape[3]) {
    ByWidth<kIn16Bytes<T> >(channels_, [&](auto width) {
      const dim3 block = BlockOf(width);
      const int blocks = batch_ * ChunksOf(width);
      const int kBlocks = 8;  // for each of the GPU's processors
      const int kPositions = 4;  // for each thread, so that parts are worth it
      parts_ = std::max<int>(1, std::min<int>(
          kBlocks * gpu->multiprocessors() / blocks,
          positions_ / (kPositions * block.y)));
    });
  }

  virtual void Run(const Buffers& buffers) {
    const Addresses<const T> x = AddressesOf<const T>(buffers.inputs);
    To* y = buffers.output<To>(0);
    const float divisor = kMaximum ? 1 : positions_;
    if (parts_ == 1) {
      Reduce(x, positions_, 1, divisor, y);
      return;
    }
    Reduce(x, positions_, parts_, 1, buffers.scratch);
    Addresses<const float> partial;
    partial.count = 1;
    partial.at[0] = buffers.scratch;
    Reduce(partial, parts_, 1, divisor, y);
  }

  virtual size_t ScratchFloats() const {
    return parts_ > 1 ? static_cast<size_t>(batch_) * parts_ * channels_ : 0;
  }

 private:
  // Threads by channels and positions, width numbers of neighbours for each.
  dim3 BlockOf(int width) const {
    int across = 1;
    while (across < 32 && across * width < channels_) { across *= 2; }
    return dim3(across, kThreads / across);
  }
  int ChunksOf(int width) const {
    return Blocks(channels_, BlockOf(width).x * width);
  }

  template <typename From, typename Result>
  void Reduce(const Addresses<const From>& x, int positions, int parts,
              float divisor, Result* y) const {
    size_t sizes = channels_ | Place(y);
    for (int k = 0; k < x.count; ++k) { sizes |= Place(x.at[k]); }
    ByWidth<kIn16Bytes<From> >(sizes, [&](auto width) {
      constexpr int N = decltype(width)::value;
      ReduceKernel<From, Result, kMaximum, N>
          <<<dim3(batch_, ChunksOf(N), parts), BlockOf(N), 0, gpu_->stream()>>>(
          x, positions, channels_, divisor, y);
      CUDA_POST_KERNEL_CHECK;
    });
  }

  Gpu* const gpu_;
  const int batch_, channels_, positions_;
  int parts_;
};

// Outputs are of the inputs' type, or floats.
template <bool kMaximum>
std::unique_ptr<Step> MakeReduceStep(const Op& op, Gpu* gpu) {
  return ForGpuType(op.inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    std::unique_ptr<Step> step;
    if (op.outputs[0]->type == Type::F32) {
      step.reset(new ReduceStep<T, float, kMaximum>(op, gpu));
    } else {
      step.reset(new ReduceStep<T, T, kMaximum>(op, gpu));
    }
    return step;
  });
}

template <typename T, bool kMaximum>
std::unique_ptr<Step> MakeWindowStep(const Pooling& op, Gpu* gpu) {
  const size_t count = op.outputs[0]->count();
  const Windows windows(op);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const PoolingOf<T, kMaximum> f = {buffers.input<T>(0), windows,
                                      buffers.output<T>(0)};
    Each<kIn16Bytes<T> >(windows.channels | Place(f.x) | Place(f.y), count, f,
                     gpu->stream());
  }));
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Pooling& op, Gpu* gpu) {
  if (Windows(op).AreWhole()) {
    return op.maximum ? MakeReduceStep<true>(op, gpu) :
        MakeReduceStep<false>(op, gpu);
  }
  return ForGpuType(op.inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return op.maximum ? MakeWindowStep<T, true>(op, gpu) :
        MakeWindowStep<T, false>(op, gpu);
  });
}

std::unique_ptr<Step> MakeGpuStep(const MeanOfSum& op, Gpu* gpu) {
  return MakeReduceStep<false>(op, gpu);
}

}  // namespace engine
}  // namespace caffe
