#ifndef CAFFE_UTIL_PLANES_CUH_
#define CAFFE_UTIL_PLANES_CUH_

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

template <int kSize, typename Dtype, typename OfPlane>
__global__ void MapPlanesKernel(const int count, const Divisor area,
    const Dtype* x, const Dtype* y, const OfPlane of_plane, Dtype* out) {
  typedef Pack<Dtype, kSize> Values;
  const unsigned begin = (blockIdx.x * blockDim.x + threadIdx.x) * kSize;
  if (begin >= count) { return; }
  const bool whole = begin + kSize <= count;
  Values of_x = {}, of_y = {};
  if (whole) {
    if (x) { of_x = *reinterpret_cast<const Values*>(x + begin); }
    if (y) { of_y = *reinterpret_cast<const Values*>(y + begin); }
  } else {
    for (int k = 0; begin + k < count; ++k) {
      if (x) { of_x.v[k] = x[begin + k]; }
      if (y) { of_y.v[k] = y[begin + k]; }
    }
  }
  int plane = area.Divide(begin);
  int end = (plane + 1) * area.value() - begin;
  auto function = of_plane(plane);
  Values result;
#pragma unroll
  for (int k = 0; k < kSize; ++k) {
    if (k == end && begin + k < count) {
      function = of_plane(++plane);
      end += area.value();
    }
    result.v[k] = function(of_x.v[k], of_y.v[k]);
  }
  if (whole) {
    *reinterpret_cast<Values*>(out + begin) = result;
  } else {
    for (int k = 0; begin + k < count; ++k) {
      out[begin + k] = result.v[k];
    }
  }
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
  if (IsPackAligned(x, y, out)) {
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

// ---- kernels that add up planes: a warp a plane, eight to a block, or less than a
// warp; where there are few and large ones, a block

/// @brief Threads of a block: x a plane, y planes; x is `least`, a power of 2, where
///        planes have less than 64 values.
inline dim3 PlaneThreads(const int planes, const int area, const int least = 32) {
  return area > 1024 && planes < 4096 ? dim3(256, 1) :
      area < 64 ? dim3(least, 256 / least) : dim3(32, 8);
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
  for (int offset = blockDim.x / 2; offset > 0; offset /= 2) {
    v += __shfl_xor_sync(0xffffffff, v, offset);
  }
  return v;
}

}  // namespace caffe

#endif  // CAFFE_UTIL_PLANES_CUH_
