#include "engine/gpu/number.hpp"
#include "engine/gpu/positions.hpp"

#include "caffe/common.hpp"

namespace caffe {
namespace engine {

namespace {

const int kThreads = 256;

int Blocks(size_t items) {
  return static_cast<int>((items + kThreads - 1) / kThreads);
}

// Words of a position's channels; a thread for each.
template <typename Word>
__global__ void Take(const Word* x, Word* y, int height, int width, int out_h,
                     int out_w, int stride_h, int stride_w, int words,
                     size_t count) {
  const size_t i = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  if (i >= count) { return; }
  const size_t position = i / words;
  const size_t n = position / (out_h * out_w);
  const int at = position % (out_h * out_w);
  const int h = at / out_w * stride_h, w = at % out_w * stride_w;
  y[i] = x[((n * height + h) * width + w) * words + i % words];
}

template <typename T>
__global__ void Pad(const T* x, T* y, int channels, int padded, size_t count) {
  const size_t i = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  if (i >= count) { return; }
  const int c = i % padded;
  y[i] = c < channels ? x[i / padded * channels + c] : T(0.f);
}

template <typename T>
__global__ void Leak(float slope, T* x, size_t count) {
  const size_t i = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  if (i >= count) { return; }
  const float value = x[i];
  // Where a product was beyond T's numbers, 0 times infinity would be NaN.
  const bool zero = slope == 0 && value < 0;
  x[i] = T(value > 0 ? value : zero ? 0.f : slope * value);
}

}  // namespace

void TakePositions(const Value& in, const Value& out, const int* stride,
    const void* x, void* y, cudaStream_t stream) {
  const size_t row = in.bytes() / in.shape[0] / in.shape[2] / in.shape[3];
  const auto take = [&](auto word) {
    typedef decltype(word) Word;
    const size_t count = out.count() / out.shape[1] * row / sizeof(Word);
    Take<<<Blocks(count), kThreads, 0, stream>>>(
        static_cast<const Word*>(x), static_cast<Word*>(y), in.shape[2],
        in.shape[3], out.shape[2], out.shape[3], stride[0], stride[1],
        static_cast<int>(row / sizeof(Word)), count);
  };
  if (row % sizeof(uint4) == 0) {
    take(uint4());
  } else {
    take(static_cast<unsigned short>(0));
  }
  CUDA_POST_KERNEL_CHECK;
}

void PadChannels(const Value& in, int channels, const void* x, void* y,
    cudaStream_t stream) {
  ForGpuType(in.type, [&](auto number) {
    typedef decltype(number) T;
    const size_t count = in.count() / in.shape[1] * channels;
    Pad<<<Blocks(count), kThreads, 0, stream>>>(static_cast<const T*>(x),
        static_cast<T*>(y), in.shape[1], channels, count);
  });
  CUDA_POST_KERNEL_CHECK;
}

void LeakyReLU(float slope, Type type, size_t count, void* x,
    cudaStream_t stream) {
  ForGpuType(type, [&](auto number) {
    Leak<<<Blocks(count), kThreads, 0, stream>>>(
        slope, static_cast<decltype(number)*>(x), count);
  });
  CUDA_POST_KERNEL_CHECK;
}

}  // namespace engine
}  // namespace caffe
