#include "engine/gpu/pause.hpp"

#include <cstdint>

#include "caffe/common.hpp"

namespace caffe {
namespace engine {

namespace {

__device__ uint64_t Nanoseconds() {
  uint64_t now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
  return now;
}

__global__ void PauseKernel(unsigned microseconds) {
  const uint64_t begin = Nanoseconds();
  while (Nanoseconds() - begin < uint64_t(1000) * microseconds) {}
}

}  // namespace

void Pause(unsigned microseconds, cudaStream_t stream) {
  PauseKernel<<<1, 1, 0, stream>>>(microseconds);
  CUDA_POST_KERNEL_CHECK;
}

}  // namespace engine
}  // namespace caffe
