#ifndef CAFFE_ENGINE_GPU_KERNEL_CUH_
#define CAFFE_ENGINE_GPU_KERNEL_CUH_

#include <cuda_runtime.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "caffe/common.hpp"
#include "engine/gpu/number.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

const int kThreads = 256;  // of a block
const int kWarp = 32;
const size_t kMaxInputs = 128;  // of a kernel, whose parameters are 4 KB

/// @brief Addresses of one type, as a kernel's parameter.
template <typename T>
struct Addresses {
  T* at[kMaxInputs];
  int count;
};

template <typename T>
Addresses<T> AddressesOf(const std::vector<char*>& places) {
  CHECK_LE(places.size(), kMaxInputs) << "values of one step on a GPU";
  Addresses<T> addresses;
  addresses.count = places.size();
  for (size_t i = 0; i < places.size(); ++i) {
    addresses.at[i] = reinterpret_cast<T*>(places[i]);
  }
  return addresses;
}

/// @brief ReLU with its slope for negative values, or nothing, as Activation.
struct GpuActivation {
  GpuActivation(bool relu, float negative_slope)
      : slope(relu ? negative_slope : 1) {}
  __device__ float operator()(float x) const { return x > 0 ? x : slope * x; }
  float slope;
};

/// @brief The greater one; NaN wins.
__device__ inline float Greater(float a, float b) {
  return b > a || b != b ? b : a;
}

/// @brief f over a warp's numbers, the same in all its threads.
template <typename F>
__device__ float OfWarp(float x, const F& f) {
  for (int i = kWarp / 2; i > 0; i /= 2) {
    x = f(x, __shfl_xor_sync(0xffffffff, x, i));
  }
  return x;
}

struct Plus {
  __device__ float operator()(float a, float b) const { return a + b; }
};

/// @brief N neighbours, moved by 16 bytes at a time where there are so many.
template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T at[N];
};

template <int N, typename T>
__device__ inline void Load(const T* from, float (&to)[N]) {
  const Pack<T, N> pack = *reinterpret_cast<const Pack<T, N>*>(from);
#pragma unroll
  for (int i = 0; i < N; ++i) { to[i] = static_cast<float>(pack.at[i]); }
}

template <int N, typename T>
__device__ inline void Store(const float (&from)[N], T* to) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; ++i) { pack.at[i] = static_cast<T>(from[i]); }
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

/// @brief How many Ts lie before an address: what divides it aligns it.
template <typename T>
size_t Place(const T* address) {
  return reinterpret_cast<uintptr_t>(address) / sizeof(T);
}

/// @brief f(std::integral_constant<int, N>()): the greatest of kMost, kMost / 2,
///        ..., 1 that divides all the sizes whose bits are in `sizes`.
template <int kMost, typename F>
void ByWidth(size_t sizes, const F& f) {
  if constexpr (kMost > 1) {
    if (sizes % kMost) {
      ByWidth<kMost / 2>(sizes, f);
      return;
    }
  }
  f(std::integral_constant<int, kMost>());
}

inline unsigned int Blocks(size_t count, size_t of_block) {
  return (count + of_block - 1) / of_block;
}

// For each N of count numbers f.At<N>(the first's index), f.At<1> for the rest.
template <int N, typename F>
__global__ void __launch_bounds__(kThreads)
EachKernel(const size_t count, const __grid_constant__ F f) {
  size_t i = (static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x) * N;
  if (i + N <= count) {
    f.template At<N>(i);
  } else {
    for (; i < count; ++i) { f.template At<1>(i); }
  }
}

/// @brief f.At<N>(i), a functor of the GPU's, for i = 0, N, 2 N, ... below count,
///        N as ByWidth finds it, and f.At<1>(i) for the rest.
template <int kMost, typename F>
void Each(size_t sizes, size_t count, const F& f, cudaStream_t stream) {
  ByWidth<kMost>(sizes, [&](auto width) {
    constexpr int N = decltype(width)::value;
    EachKernel<N><<<Blocks(count, static_cast<size_t>(kThreads) * N), kThreads,
                    0, stream>>>(count, f);
    CUDA_POST_KERNEL_CHECK;
  });
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_KERNEL_CUH_
