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

/// @brief The values from `begin`, a whole pack's place, on; 0 from `count` on.
template <int kSize, typename Dtype>
__device__ Pack<Dtype, kSize> LoadPack(const Dtype* __restrict__ x,
    const unsigned begin, const unsigned count) {
  if (begin + kSize <= count) {
    return *reinterpret_cast<const Pack<Dtype, kSize>*>(x + begin);
  }
  Pack<Dtype, kSize> values = {};
  for (int k = 0; begin + k < count; ++k) { values.v[k] = x[begin + k]; }
  return values;
}

/// @brief LoadPack's counterpart.
template <int kSize, typename Dtype>
__device__ void StorePack(const Pack<Dtype, kSize>& values,
    const unsigned begin, const unsigned count, Dtype* out) {
  if (begin + kSize <= count) {
    *reinterpret_cast<Pack<Dtype, kSize>*>(out + begin) = values;
  } else {
    for (int k = 0; begin + k < count; ++k) { out[begin + k] = values.v[k]; }
  }
}

/// @brief f(x, y) of a pack's values, with f = of_plane(number of the plane).
template <int kSize, typename Dtype, typename OfPlane>
__device__ Pack<Dtype, kSize> MapPack(const Pack<Dtype, kSize>& x,
    const Pack<Dtype, kSize>& y, const OfPlane& of_plane, const Divisor& area,
    const unsigned begin, const unsigned count) {
  int plane = area.Divide(begin);
  int end = (plane + 1) * area.value() - begin;
  auto function = of_plane(plane);
  Pack<Dtype, kSize> result;
#pragma unroll
  for (int k = 0; k < kSize; ++k) {
    if (k == end && begin + k < count) {
      function = of_plane(++plane);
      end += area.value();
    }
    result.v[k] = function(x.v[k], y.v[k]);
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

// ---- kernels that add up planes: a warp a plane, eight to a block; where there are
// few and large ones, a block

/// @brief Threads of a block: x a plane, y planes.
inline dim3 PlaneThreads(const int planes, const int area) {
  return area > 1024 && planes < 4096 ? dim3(256, 1) : dim3(32, 8);
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

// ---- kernels that add up small planes: a warp has as many as a pack has values, so
// that together they are whole packs

/// @brief Whether planes are so small that a warp has several of them.
inline bool AreSmallPlanes(const int area) { return 0 < area && area < 64; }

/// @brief The planes of this thread's warp, of eight warps to a block.
template <typename Dtype>
class SmallPlanes {
 public:
  static const int kSize = PackSize<Dtype>::value;
  static const int kPlanes = kSize;

  static dim3 Threads() { return dim3(32, 8); }
  static int Blocks(const int planes) {
    return PlaneBlocks((planes - 1) / kPlanes + 1, Threads());
  }
  /// @brief Shared memory that a block must be given.
  static size_t Bytes(const int area) {
    return Threads().y * kPlanes * area * sizeof(Dtype);
  }

  __device__ SmallPlanes(const int planes, const int area)
      : planes_(planes), area_(area) {
    extern __shared__ Pack<char, 16> small_planes_memory[];
    const int values = kPlanes * area;
    terms_ = reinterpret_cast<Dtype*>(small_planes_memory)
        + threadIdx.y * values;
    first_ = ThreadPlane() * values;
    end_ = min(first_ + values, planes * area);
  }

  /// @brief f(begin, end) for the packs of this thread, of values before `end`.
  template <typename Function>
  __device__ void ForPacks(const Function& f) const {
#pragma unroll 2
    for (unsigned i = first_ + threadIdx.x * kSize; i < end_; i += 32 * kSize) {
      f(i, end_);
    }
  }

  /// @brief What a pack's values add to the sums.
  __device__ void Add(const Pack<Dtype, kSize>& terms, const unsigned begin) {
    *reinterpret_cast<Pack<Dtype, kSize>*>(terms_ + begin - first_) = terms;
  }

  /// @brief f(plane, sum), once a plane, after all packs' Add.
  template <typename Function>
  __device__ void Sum(const Function& f) const {
    const int kThreads = 32 / kPlanes;
    const Dtype* terms = terms_ + threadIdx.x / kThreads * area_;
    Dtype sum = 0;
    __syncwarp();
    for (int i = threadIdx.x % kThreads; i < area_; i += kThreads) {
      sum += terms[i];
    }
#pragma unroll
    for (int offset = kThreads / 2; offset > 0; offset /= 2) {
      sum += __shfl_xor_sync(0xffffffff, sum, offset);
    }
    const int plane = ThreadPlane() * kPlanes + threadIdx.x / kThreads;
    if (threadIdx.x % kThreads == 0 && plane < planes_) { f(plane, sum); }
  }

 private:
  const int planes_, area_;
  unsigned first_, end_;
  Dtype* terms_;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_PLANES_CUH_
