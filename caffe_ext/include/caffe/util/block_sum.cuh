#ifndef CAFFE_UTIL_BLOCK_SUM_CUH_
#define CAFFE_UTIL_BLOCK_SUM_CUH_

#include <algorithm>

namespace caffe {

/// @brief Threads for a block that adds up n numbers: whole warps, 512 at most.
inline int BlockSumThreads(const int n) {
  return std::min(512, (n + 31) / 32 * 32);
}

/**
 * @brief The sum of v over the block's threads; each thread gets it.
 *
 * All threads of the block must call it; their number must be a multiple of 32.
 */
template <typename T>
__device__ T BlockSum(T v) {
  __shared__ T warps[32];
  for (int offset = 16; offset > 0; offset /= 2) {
    v += __shfl_xor_sync(0xffffffff, v, offset);
  }
  if (threadIdx.x % 32 == 0) {
    warps[threadIdx.x / 32] = v;
  }
  __syncthreads();
  T sum = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) {
    sum += warps[warp];
  }
  // A next call may not write before every thread has read.
  __syncthreads();
  return sum;
}

}  // namespace caffe

#endif  // CAFFE_UTIL_BLOCK_SUM_CUH_
