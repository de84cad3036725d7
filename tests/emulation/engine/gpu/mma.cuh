#ifndef CAFFE_ENGINE_GPU_MMA_CUH_
#define CAFFE_ENGINE_GPU_MMA_CUH_

#include <algorithm>
#include <array>

#include "block.hpp"
#include "engine/gpu/number.hpp"
#include "engine/gpu/shared_memory.cuh"

// caffe_ext/engine/gpu/mma.cuh on the CPU: the fragments as the PTX manual has them
// (mma.m16n8k8 and m16n8k16, ldmatrix).

namespace caffe {
namespace engine {

typedef std::array<uint32_t, 4> Registers;

template <typename T>
float Number(uint32_t numbers, int i) {
  if (sizeof(T) == 4) { numbers &= ~0x1fffu; }  // what TF32 does not have
  T all[kInRegister<T>];
  std::memcpy(all, &numbers, 4);
  return static_cast<float>(all[i]);
}

// d += a b, of which each row of a, and each column of b, is so many chunks.
template <typename T>
void Multiply(float* d, const uint32_t* a, const uint32_t* b, int chunks) {
  Registers own_a = {}, own_b = {};
  std::copy_n(a, 2 * chunks, own_a.begin());
  std::copy_n(b, chunks, own_b.begin());
  const auto as = emulation::OfWarp(own_a), bs = emulation::OfWarp(own_b);
  const int lane = emulation::Lane();
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < chunks * kIn16Bytes<T>; ++k) {
      const int chunk = k / kIn16Bytes<T>, place = k % kInRegister<T>;
      const int of_four = k % kIn16Bytes<T> / kInRegister<T>;
      d[i] += Number<T>(as[row % 8 * 4 + of_four][row / 8 + 2 * chunk], place) *
          Number<T>(bs[column * 4 + of_four][chunk], place);
    }
  }
}

template <typename T>
struct Mma {
  static void Narrow(float* d, const uint32_t* a, const uint32_t* b) {
    Multiply<T>(d, a, b, 1);
  }
  static void Wide(float* d, const uint32_t* a, const uint32_t* b) {
    Multiply<T>(d, a, b, 2);
  }
};

template <typename T>
T AsFactor(T x) { return x; }
template <>
inline float AsFactor(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  bits = (bits + 0x1000) & ~0x1fffu;
  std::memcpy(&x, &bits, 4);
  return x;
}
template <typename T>
uint32_t AsFactors(uint32_t numbers) {
  if (sizeof(T) == 4) {
    float x;
    std::memcpy(&x, &numbers, 4);
    x = AsFactor(x);
    std::memcpy(&numbers, &x, 4);
  }
  return numbers;
}

inline void LoadMatrices(uint32_t* a, unsigned address, int count) {
  const auto addresses = emulation::OfWarp(address);
  const int lane = emulation::Lane();
  for (int i = 0; i < count; ++i) {
    std::memcpy(&a[i], Shared16(addresses[i * 8 + lane / 4]) + lane % 4 * 4, 4);
  }
}
inline void LoadNarrow(uint32_t* a, unsigned address) { LoadMatrices(a, address, 2); }
inline void LoadWide(uint32_t* a, unsigned address) { LoadMatrices(a, address, 4); }

template <typename T>
void StorePair(const float* y, T* to) {
  if (reinterpret_cast<uintptr_t>(to) % (2 * sizeof(T))) {
    std::printf("a pair at an odd address\n");
    std::exit(1);
  }
  to[0] = T(y[0]);
  to[1] = T(y[1]);
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_MMA_CUH_
