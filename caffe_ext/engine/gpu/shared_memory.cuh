#ifndef CAFFE_ENGINE_GPU_SHARED_MEMORY_CUH_
#define CAFFE_ENGINE_GPU_SHARED_MEMORY_CUH_

#include <cuda_runtime.h>

#include <cstddef>

#include "caffe/common.hpp"

namespace caffe {
namespace engine {

// Kernels whose blocks have as much shared memory as they are launched with.

/// @brief The shared memory that a block was launched with.
__device__ inline char* SharedMemory() {
  extern __shared__ __align__(16) char memory[];
  return memory;
}

__device__ inline unsigned SharedAddress(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

#if __CUDA_ARCH__ >= 800

/// @brief Begins to copy 16 bytes to shared memory, or writes zeros there.
__device__ inline void CopyOrZero(unsigned to, const void* from, bool copy) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n"
               :: "r"(to), "l"(from), "r"(copy ? 16 : 0) : "memory");
}

/// @brief What this thread began to copy is there, for itself.
__device__ inline void AwaitCopies() {
  asm volatile("cp.async.wait_all;\n" ::: "memory");
}

#endif  // __CUDA_ARCH__ >= 800

/// @brief The kernel, with so many bytes of SharedMemory.
template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), dim3 blocks, int threads, size_t bytes,
            cudaStream_t stream, const Arguments&... arguments) {
  // 48 KB with the kernel's own variables need not be asked for.
  if (bytes > 32 << 10) {
    CUDA_CHECK(cudaFuncSetAttribute(kernel,
        cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
  }
  kernel<<<blocks, threads, bytes, stream>>>(arguments...);
  CUDA_POST_KERNEL_CHECK;
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_SHARED_MEMORY_CUH_
