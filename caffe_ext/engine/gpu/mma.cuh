#ifndef CAFFE_ENGINE_GPU_MMA_CUH_
#define CAFFE_ENGINE_GPU_MMA_CUH_

#include <cstdint>

#include "engine/gpu/mma.hpp"
#include "engine/gpu/number.hpp"

namespace caffe {
namespace engine {

// Tensor Cores' instructions, as the PTX manual has them; from compute capability
// 8.0 on. A warp has matrices of 16 rows in registers: of d a thread has columns
// lane % 4 * 2 and the next, of rows lane / 4 and 8 more.

__device__ inline unsigned SharedAddress(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

#if __CUDA_ARCH__ >= 800

/// @brief d += a b: 16 x 16 of a, 16 x 8 of b, 16 x 8 of d; K8 with half of a's
///        columns and b's rows.
template <typename T>
struct Mma;

template <>
struct Mma<__half> {
  static __device__ inline void K8(float* d, const uint32_t* a, uint32_t b) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b));
  }
  static __device__ inline void K16(float* d, const uint32_t* a,
                                    const uint32_t* b) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),
                   "r"(b[1]));
  }
};

template <>
struct Mma<__nv_bfloat16> {
  static __device__ inline void K8(float* d, const uint32_t* a, uint32_t b) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(b));
  }
  static __device__ inline void K16(float* d, const uint32_t* a,
                                    const uint32_t* b) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]),
                   "r"(b[1]));
  }
};

/// @brief a's 8 columns, for K8: the address of row lane % 16.
__device__ inline void LoadK8(uint32_t* a, unsigned address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];\n"
               : "=r"(a[0]), "=r"(a[1]) : "r"(address));
}

/// @brief a's 16 columns: the address of row lane % 16, column lane / 16 * 8.
__device__ inline void LoadK16(uint32_t* a, unsigned address) {
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

#endif  // __CUDA_ARCH__ >= 800

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_MMA_CUH_
