#ifndef CAFFE_ENGINE_GPU_MMA_CUH_
#define CAFFE_ENGINE_GPU_MMA_CUH_

#include <cstdint>

#include "engine/gpu/number.hpp"

namespace caffe {
namespace engine {

// Tensor Cores' instructions, as the PTX manual has them; from compute capability
// 8.0 on. A warp has matrices in registers: a of 16 rows, of 16 bytes each (narrow) or
// 32 (wide); b of as many rows as a has columns, and 8 columns; d of 16 rows and 8
// columns, of which a thread has lane % 4 * 2 and the next, of rows lane / 4 and 8
// more. Floats are multiplied as TF32.

#if __CUDA_ARCH__ >= 800

/// @brief d += a b.
template <typename T>
struct Mma;

#define MMA_OF_16_BITS(T, type)                                                  \
  template <>                                                                    \
  struct Mma<T> {                                                                \
    static __device__ inline void Narrow(float* d, const uint32_t* a,            \
                                         const uint32_t* b) {                    \
      asm volatile("mma.sync.aligned.m16n8k8.row.col.f32." type "." type ".f32 " \
                   "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};\n"              \
                   : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])              \
                   : "r"(a[0]), "r"(a[1]), "r"(b[0]));                           \
    }                                                                            \
    static __device__ inline void Wide(float* d, const uint32_t* a,              \
                                       const uint32_t* b) {                      \
      asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 "\
                   "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"     \
                   : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])              \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),      \
                     "r"(b[1]));                                                 \
    }                                                                            \
  };
MMA_OF_16_BITS(__half, "f16")
MMA_OF_16_BITS(__nv_bfloat16, "bf16")
#undef MMA_OF_16_BITS

template <>
struct Mma<float> {
  static __device__ inline void Wide(float* d, const uint32_t* a,
                                     const uint32_t* b) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),
                   "r"(b[1]));
  }
};

/// @brief A number as it is multiplied: without it, floats' last bits are cut off.
template <typename T>
__device__ inline T AsFactor(T x) { return x; }
template <>
__device__ inline float AsFactor(float x) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(rounded) : "f"(x));
  return __uint_as_float(rounded);
}

/// @brief The same of a register of such numbers.
template <typename T>
__device__ inline uint32_t AsFactors(uint32_t numbers) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return __float_as_uint(AsFactor(__uint_as_float(numbers)));
  }
  return numbers;
}

/// @brief A narrow a: the address of row lane % 16.
__device__ inline void LoadNarrow(uint32_t* a, unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];\n"
               : "=r"(a[0]), "=r"(a[1]) : "r"(address));
}

/// @brief A wide a: the address of row lane % 16, of its 16 bytes lane / 16.
__device__ inline void LoadWide(uint32_t* a, unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3]) : "r"(address));
}

/// @brief y[0] and y[1] as two neighbours.
__device__ inline void StorePair(const float* y, __half* to) {
  *reinterpret_cast<__half2*>(to) = __floats2half2_rn(y[0], y[1]);
}
__device__ inline void StorePair(const float* y, __nv_bfloat16* to) {
  *reinterpret_cast<__nv_bfloat162*>(to) = __floats2bfloat162_rn(y[0], y[1]);
}
__device__ inline void StorePair(const float* y, float* to) {
  *reinterpret_cast<float2*>(to) = make_float2(y[0], y[1]);
}

#endif  // __CUDA_ARCH__ >= 800

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_MMA_CUH_
