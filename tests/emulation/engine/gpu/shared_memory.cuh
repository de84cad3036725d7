#ifndef CAFFE_ENGINE_GPU_SHARED_MEMORY_CUH_
#define CAFFE_ENGINE_GPU_SHARED_MEMORY_CUH_

#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "block.hpp"

// caffe_ext/engine/gpu/shared_memory.cuh on the CPU.

namespace caffe {
namespace engine {

inline char* SharedMemory() { return emulation::block.shared; }
inline unsigned SharedAddress(const void* pointer) {
  return static_cast<const char*>(pointer) - SharedMemory();
}

inline char* Shared16(unsigned address) {
  if (address % 16 || address + 16 > emulation::block.bytes) {
    std::printf("address %u of %zu shared bytes\n", address, emulation::block.bytes);
    std::exit(1);
  }
  return SharedMemory() + address;
}

// Of each thread, what it has begun: not there before it waits.
struct Copy {
  unsigned to;
  const void* from;  // null: zeros
};
inline std::map<unsigned, std::vector<Copy> > copies;

inline void CopyOrZero(unsigned to, const void* from, bool copy) {
  copies[threadIdx.x].push_back({to, copy ? from : NULL});
}
inline void AwaitCopies() {
  for (const Copy& copy : copies[threadIdx.x]) {
    static const char zeros[16] = {};
    std::memcpy(Shared16(copy.to), copy.from ? copy.from : zeros, 16);
  }
  copies[threadIdx.x].clear();
}

template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), dim3 blocks, int threads, size_t bytes,
            cudaStream_t, const Arguments&... arguments) {
  emulation::Run(blocks, threads, bytes, [&] { kernel(arguments...); });
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_SHARED_MEMORY_CUH_
