#ifndef EMULATION_BLOCK_HPP_
#define EMULATION_BLOCK_HPP_

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

// A GPU's blocks on the CPU, one after the other. A block's threads are coroutines:
// each runs until it waits for its warp or its block.

namespace emulation {

/// @brief Threads that wait for each other.
struct Group {
  int members = 0, waiting = 0, round = 0;
};

struct Thread {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(64 << 10);
  unsigned number;
  bool done;
};

struct Block {
  std::vector<std::unique_ptr<Thread> > threads;
  std::vector<Group> warps;
  Group all;
  Thread* running;
  ucontext_t scheduler;
  std::function<void()> kernel;
  std::vector<char> memory;  // that is shared
  char* shared;              // it, where 16 bytes may be read
  size_t bytes;
  uint3 index;
  dim3 grid;
};
inline Block block;

inline Group& OwnWarp() { return block.warps[block.running->number / 32]; }
inline int Lane() { return block.running->number % 32; }

inline void Release(Group* group) {
  group->waiting = 0;
  ++group->round;
}

inline void Wait(Group* group) {
  const int round = group->round;
  if (++group->waiting == group->members) {
    Release(group);
  }
  while (group->round == round) {
    swapcontext(&block.running->context, &block.scheduler);
  }
}

inline void Leave(Group* group) {
  if (--group->members > 0 && group->waiting == group->members) { Release(group); }
}

inline void RunThread() {
  block.kernel();
  block.running->done = true;
  Leave(&OwnWarp());
  Leave(&block.all);
}

/// @brief What every thread of the warp gives, by lanes; all of them must ask.
template <typename T>
std::vector<T> OfWarp(const T& own) {
  static std::vector<std::vector<T> > values;
  const size_t warp = block.running->number / 32;
  if (values.size() < block.warps.size()) {
    values.resize(block.warps.size(), std::vector<T>(32));
  }
  values[warp][Lane()] = own;
  Wait(&OwnWarp());
  const std::vector<T> all = values[warp];
  Wait(&OwnWarp());
  return all;
}

/// @brief A kernel's blocks. Its shared memory is full of NaN before each.
inline void Run(dim3 grid, unsigned threads, size_t bytes,
                const std::function<void()>& kernel) {
  block.kernel = kernel;
  block.grid = grid;
  block.bytes = bytes;
  while (block.threads.size() < threads) {
    block.threads.emplace_back(new Thread);
    block.threads.back()->number = block.threads.size() - 1;
  }
  for (unsigned i = 0; i < grid.x * grid.y * grid.z; ++i) {
    block.index = {i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
    block.memory.assign(bytes + 16, '\xff');
    const uintptr_t address = reinterpret_cast<uintptr_t>(block.memory.data());
    block.shared = block.memory.data() + (16 - address % 16) % 16;
    block.all = Group();
    block.all.members = threads;
    block.warps.assign(threads / 32, Group());
    for (Group& warp : block.warps) { warp.members = 32; }
    for (unsigned t = 0; t < threads; ++t) {
      Thread* thread = block.threads[t].get();
      thread->done = false;
      getcontext(&thread->context);
      thread->context.uc_stack.ss_sp = thread->stack.data();
      thread->context.uc_stack.ss_size = thread->stack.size();
      thread->context.uc_link = &block.scheduler;
      makecontext(&thread->context, RunThread, 0);
    }
    for (bool busy = true; busy; ) {
      busy = false;
      for (unsigned t = 0; t < threads; ++t) {
        block.running = block.threads[t].get();
        if (!block.running->done) {
          busy = true;
          swapcontext(&block.scheduler, &block.running->context);
        }
      }
    }
  }
}

struct ThreadIndex {
  struct { operator unsigned() const { return block.running->number; } } x;
};

}  // namespace emulation

// CUDA's names. Its own headers, above, are those for the CPU.
#define __CUDA_ARCH__ 800
#undef __launch_bounds__
#define __launch_bounds__(threads)
inline const emulation::ThreadIndex threadIdx;
#define blockIdx emulation::block.index
#define gridDim emulation::block.grid
#undef __shared__
#define __shared__ static  // of the one block that runs

inline void __syncthreads() { emulation::Wait(&emulation::block.all); }
inline void __threadfence() {}
inline float __shfl_xor_sync(unsigned, float x, int mask) {
  return emulation::OfWarp(x)[emulation::Lane() ^ mask];
}
inline unsigned atomicAdd(unsigned* sum, unsigned x) {
  const unsigned before = *sum;
  *sum += x;
  return before;
}
inline float __ldcg(const float* x) { return *x; }
inline int min(int a, int b) { return a < b ? a : b; }

#endif  // EMULATION_BLOCK_HPP_
