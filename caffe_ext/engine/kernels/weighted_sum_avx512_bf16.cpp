#include "engine/kernels/weighted_sum.hpp"

#ifdef __AVX512BF16__
#include "engine/kernels/vector_avx512_bf16.hpp"
#endif

namespace caffe {
namespace engine {

#ifdef __AVX512BF16__

namespace {

void Sum(const float* weights, const BFloat16* a, const BFloat16* b, int channels,
         BFloat16* y) {
  for (int c = 0; c < channels; c += Vector::kLanes) {
    const Vector::V of_b = _mm512_mul_ps(Vector::Load(weights + channels + c),
                                         Vector::Load(b + c));
    // Vector's own Fma is of pairs of bf16.
    Vector::Store(y + c, Vector512::Fma(Vector::Load(weights + c),
                                        Vector::Load(a + c), of_b));
  }
}

}  // namespace

#endif

WeightedSum* WeightedSumAvx512BF16() {
#ifdef __AVX512BF16__
  return &Sum;
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
