#ifndef CAFFE_UTIL_PLANES_CUH_
#define CAFFE_UTIL_PLANES_CUH_

#include "caffe/util/block_sum.cuh"

namespace caffe {

// Kernels over planes, a channel of an image each: what is one number a plane is
// looked up once, and no index is divided. A small plane has a warp, of eight in a
// block; a large one has a block, or several where nothing is added up.

/// @brief Threads of a block: x a plane, y planes.
inline dim3 PlaneThreads(const int area) {
  return area <= 1024 ? dim3(32, 8) : dim3(256, 1);
}

/// @brief Blocks for a kernel with a PlaneSum.
inline dim3 PlaneBlocks(const int planes, const int area) {
  const int y = PlaneThreads(area).y;
  return dim3((planes + y - 1) / y);
}

/// @brief Blocks for a kernel with a WritePlane, which writes four values a thread.
inline dim3 WritePlaneBlocks(const int planes, const int area) {
  return dim3(PlaneBlocks(planes, area).x, (area + 1023) / 1024);
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
  for (int offset = 16; offset > 0; offset /= 2) {
    v += __shfl_xor_sync(0xffffffff, v, offset);
  }
  return v;
}

/**
 * @brief plane[i] = value(i) for all of its area.
 *
 * A thread reads four values before it writes any, so that four are on their way
 * even where value() reads what is written in its place.
 */
template <typename Dtype, typename Value>
__device__ void WritePlane(const int area, Dtype* plane, const Value& value) {
  const int step = blockDim.x * gridDim.y;
  for (int i = blockIdx.y * blockDim.x + threadIdx.x; i < area; i += 4 * step) {
    Dtype values[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (i + k * step < area) {
        values[k] = value(i + k * step);
      }
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (i + k * step < area) {
        plane[i + k * step] = values[k];
      }
    }
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_PLANES_CUH_
