#include "engine/ops/layout.hpp"

#include <algorithm>

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

const int kTile = 1024;  // the most numbers of a tile

// i / divisor for i and divisor up to kTile, by a product.
struct SmallDivisor {
  explicit SmallDivisor(int divisor)
      : inverse(((1 << 20) + divisor - 1) / divisor) {}
  __device__ int Of(int i) const { return i * inverse >> 20; }
  int inverse;
};

// Matrices and how they are taken apart into tiles of height x width: 32 x 32, or
// wide ones of all rows, or high ones of all columns, where these are few.
struct Transposition {
  Transposition(size_t rows, size_t columns)
      : rows(rows), columns(columns), height(std::min<size_t>(rows, 32)),
        width(std::min<size_t>(columns, 32)) {
    if (height < 32) {
      width = std::min<size_t>(columns, kTile / height / 32 * 32);
    } else if (width < 32) {
      height = std::min<size_t>(rows, kTile / width / 32 * 32);
    }
    down = (rows + height - 1) / height;
    across = (columns + width - 1) / width;
  }
  size_t rows, columns;
  int height, width;
  size_t down, across;  // tiles
};

// One tile a block.
template <typename From, typename To>
__global__ void __launch_bounds__(kThreads)
TransposeKernel(const From* x, const Transposition t,
                const SmallDivisor of_width, const SmallDivisor of_height,
                To* y) {
  __shared__ From tile[2 * kTile];
  const int stride = t.width | 1;  // odd: a column is in all banks
  const size_t column = blockIdx.x % t.across * t.width;
  const size_t row = blockIdx.x / t.across % t.down * t.height;
  const size_t matrix = blockIdx.x / (t.across * t.down) * t.rows * t.columns;
  const int numbers = t.height * t.width;
  for (int i = threadIdx.x; i < numbers; i += kThreads) {
    const int r = of_width.Of(i), c = i - r * t.width;
    if (row + r < t.rows && column + c < t.columns) {
      tile[r * stride + c] = x[matrix + (row + r) * t.columns + column + c];
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < numbers; i += kThreads) {
    const int c = of_height.Of(i), r = i - c * t.height;
    if (row + r < t.rows && column + c < t.columns) {
      y[matrix + (column + c) * t.rows + row + r] =
          static_cast<To>(static_cast<float>(tile[r * stride + c]));
    }
  }
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Reorder& op, Gpu* gpu) {
  const std::vector<int>& shape = op.inputs[0]->shape;
  const size_t positions = static_cast<size_t>(shape[2]) * shape[3];
  const bool last = op.inputs[0]->channels_last;
  const Transposition t(last ? positions : shape[1], last ? shape[1] : positions);
  const size_t blocks = t.down * t.across * shape[0];
  return ForGpuType(op.inputs[0]->type, [&](auto from) {
    return ForGpuType(op.outputs[0]->type, [&](auto to) {
      typedef decltype(from) From;
      typedef decltype(to) To;
      return std::unique_ptr<Step>(new FunctionStep(
          [=](const Buffers& buffers) {
        TransposeKernel<<<blocks, kThreads, 0, gpu->stream()>>>(
            buffers.input<From>(0), t, SmallDivisor(t.width),
            SmallDivisor(t.height), buffers.output<To>(0));
        CUDA_POST_KERNEL_CHECK;
      }));
    });
  });
}

namespace {

template <typename From, typename To>
struct ConvertOf {
  template <int N>
  __device__ void At(size_t i) const {
    float values[N];
    Load<N>(x + i, values);
    Store<N>(values, y + i);
  }

  const From* x;
  To* y;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Convert& op, Gpu* gpu) {
  const size_t count = op.inputs[0]->count();
  return ForGpuType(op.inputs[0]->type, [&](auto from) {
    return ForGpuType(op.outputs[0]->type, [&](auto to) {
      typedef decltype(from) From;
      typedef decltype(to) To;
      return std::unique_ptr<Step>(new FunctionStep(
          [=](const Buffers& buffers) {
        const ConvertOf<From, To> f = {buffers.input<From>(0),
                                       buffers.output<To>(0)};
        Each<std::max(kIn16Bytes<From>, kIn16Bytes<To>)>(Place(f.x) | Place(f.y), count,
                                                 f, gpu->stream());
      }));
    });
  });
}

}  // namespace engine
}  // namespace caffe
