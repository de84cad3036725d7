#ifndef CAFFE_UTIL_PLANES_CUH_
#define CAFFE_UTIL_PLANES_CUH_

#include <algorithm>
#include <cstdint>

#include "caffe/util/block_sum.cuh"
#include "caffe/util/device_alternate.hpp"

namespace caffe {

// Kernels over planes, a channel of an image each, as fast as memory gives them:
// 16 bytes at a time, and what is one number a plane is looked up once for those.

/// @brief Values that are read and written at once.
template <typename Dtype, int kSize>
struct alignas(kSize * sizeof(Dtype)) Pack {
  Dtype v[kSize];
};

/// @brief How many values 16 bytes hold.
template <typename Dtype>
struct PackSize { static const int value = 16 / sizeof(Dtype); };

/// @brief Whether packs may start at the pointers; NULL is no hindrance.
template <typename... Pointers>
inline bool IsPackAligned(Pointers... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) | ...) % 16) == 0;
}

/// @brief n / d for n >= 0 by a product and a shift, as it is exact for 31 bits:
///        m d = 2^(31 + l) + e with e < d <= 2^l, so that n e < 2^(31 + l).
class Divisor {
 public:
  explicit Divisor(const int d) : d_(d), shift_(-1) {
    while ((int64_t(1) << (shift_ + 1)) < d) { ++shift_; }
    multiplier_ = ((uint64_t(1) << (32 + shift_)) + d - 1) / d;
  }
  __host__ __device__ int value() const { return d_; }
  __device__ int Divide(const int n) const {
    return d_ == 1 ? n : __umulhi(n, multiplier_) >> shift_;
  }

 private:
  int d_, shift_;
  uint32_t multiplier_;
};

/// @brief The values from `begin`, a whole pack's place, on; 0 from `count` on.
template <int kSize, typename Dtype>
__device__ Pack<Dtype, kSize> LoadPack(const Dtype* __restrict__ x,
    const unsigned begin, const unsigned count) {
  if (begin + kSize <= count) {
    return *reinterpret_cast<const Pack<Dtype, kSize>*>(x + begin);
  }
  Pack<Dtype, kSize> values = {};
#pragma unroll
  for (int k = 0; k < kSize; ++k) {
    if (begin + k < count) { values.v[k] = x[begin + k]; }
  }
  return values;
}

/// @brief LoadPack's counterpart.
template <int kSize, typename Dtype>
__device__ void StorePack(const Pack<Dtype, kSize>& values,
    const unsigned begin, const unsigned count, Dtype* out) {
  if (begin + kSize <= count) {
    *reinterpret_cast<Pack<Dtype, kSize>*>(out + begin) = values;
  } else {
#pragma unroll
    for (int k = 0; k < kSize; ++k) {
      if (begin + k < count) { out[begin + k] = values.v[k]; }
    }
  }
}

/// @brief f(x, y) of a pack's values, with f = of_plane(number of the plane), of two
///        planes at most: they have kSize values or more.
template <int kSize, typename Dtype, typename OfPlane>
__device__ Pack<Dtype, kSize> MapPack(const Pack<Dtype, kSize>& x,
    const Pack<Dtype, kSize>& y, const OfPlane& of_plane, const Divisor& area,
    const unsigned begin, const unsigned count) {
  const int plane = area.Divide(begin);
  const int end = (plane + 1) * area.value() - begin;
  const auto function = of_plane(plane);
  auto next = function;
  if (end < kSize && begin + end < count) { next = of_plane(plane + 1); }
  Pack<Dtype, kSize> result;
#pragma unroll
  for (int k = 0; k < kSize; ++k) {
    result.v[k] = k < end ? function(x.v[k], y.v[k]) : next(x.v[k], y.v[k]);
  }
  return result;
}

template <int kSize, typename Dtype, typename OfPlane>
__global__ void MapPlanesKernel(const int count, const Divisor area,
    const Dtype* x, const Dtype* y, const OfPlane of_plane, Dtype* out) {
  const unsigned begin = (blockIdx.x * blockDim.x + threadIdx.x) * kSize;
  if (begin >= count) { return; }
  Pack<Dtype, kSize> of_x = {}, of_y = {};
  if (x) { of_x = LoadPack<kSize>(x, begin, count); }
  if (y) { of_y = LoadPack<kSize>(y, begin, count); }
  StorePack(MapPack(of_x, of_y, of_plane, area, begin, count), begin, count,
      out);
}

/**
 * @brief out = f(x, y), value by value, with f = of_plane(number of the plane);
 *        of x or y that are NULL, f gets 0. May be computed in their place.
 */
template <typename Dtype, typename OfPlane>
void MapPlanes(const int planes, const int area, const Dtype* x,
    const Dtype* y, const OfPlane& of_plane, Dtype* out) {
  const int kSize = PackSize<Dtype>::value;
  const int kThreads = 256;
  const int count = planes * area;
  if (count == 0) { return; }
  const int packs = (count - 1) / kSize + 1;
  if (area >= kSize && IsPackAligned(x, y, out)) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    MapPlanesKernel<kSize><<<(packs - 1) / kThreads + 1, kThreads>>>(
        count, Divisor(area), x, y, of_plane, out);
  } else {
    // NOLINT_NEXT_LINE(whitespace/operators)
    MapPlanesKernel<1><<<(count - 1) / kThreads + 1, kThreads>>>(
        count, Divisor(area), x, y, of_plane, out);
  }
  CUDA_POST_KERNEL_CHECK;
}

// ---- kernels that add up planes: a warp a plane, eight to a block; of large ones a
// block each

/// @brief Threads of a block: x a plane, y planes.
inline dim3 PlaneThreads(const int planes, const int area) {
  return area <= 1024 ? dim3(32, 8) : dim3(planes < 1024 ? 256 : 128, 1);
}

inline int PlaneBlocks(const int planes, const dim3& threads) {
  return (planes + threads.y - 1) / threads.y;
}

/// @brief The plane of this thread; one that does not exist is to be left alone.
__device__ inline int ThreadPlane() {
  return blockIdx.x * blockDim.y + threadIdx.y;
}

/// @brief The sum of v over the plane's threads; each thread gets it.
template <typename T>
__device__ T PlaneSum(T v) {
  if (blockDim.x > 32) {
    return BlockSum(v);
  }
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) {
    v += __shfl_xor_sync(0xffffffff, v, offset);
  }
  return v;
}

// ---- kernels that add up small planes: a thread a pack; a block has so many planes
// that together they are whole packs

template <typename Dtype>
class SmallPlanes {
 public:
  static const int kThreads = 256;
  static const int kSize = PackSize<Dtype>::value;
  typedef Pack<Dtype, kSize> Values;

  static bool Fit(const int area) { return kSize <= area && area < 64; }
  SmallPlanes(const int planes, const int area) : planes_(planes), area_(area),
      of_block_(kSize * std::min(kThreads / area, kThreads / kLanes / kSize)) {}
  int Blocks() const { return (planes_ - 1) / of_block_ + 1; }

  /// @brief result(plane, sum) for the sums of terms(begin, count), a pack's, which
  ///        begins with value `begin` of `count`.
  template <typename Terms, typename Result>
  __device__ void Sum(const Terms& terms, const Result& result) const {
    __shared__ Values packs[kThreads];
    const int packs_of_block = of_block_ / kSize * area_;
    const unsigned count = planes_ * area_;
    const unsigned begin =
        (blockIdx.x * packs_of_block + threadIdx.x) * kSize;
    if (threadIdx.x < packs_of_block && begin < count) {
      packs[threadIdx.x] = terms(begin, count);
    }
    __syncthreads();
    const int i = threadIdx.x / kLanes, lane = threadIdx.x % kLanes;
    Dtype sum = 0;
    if (i < of_block_) {
      const Dtype* plane = reinterpret_cast<const Dtype*>(packs) + i * area_;
      for (int j = lane; j < area_; j += kLanes) { sum += plane[j]; }
    }
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) {
      sum += __shfl_xor_sync(0xffffffff, sum, offset);
    }
    const int plane = blockIdx.x * of_block_ + i;
    if (lane == 0 && i < of_block_ && plane < planes_) { result(plane, sum); }
  }

 private:
  static const int kLanes = 4;  // that add up a plane

  const int planes_, area_;
  const int of_block_;  // planes
};

}  // namespace caffe

#endif  // CAFFE_UTIL_PLANES_CUH_
