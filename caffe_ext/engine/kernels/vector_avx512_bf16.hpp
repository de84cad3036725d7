#ifndef CAFFE_ENGINE_KERNELS_VECTOR_AVX512_BF16_HPP_
#define CAFFE_ENGINE_KERNELS_VECTOR_AVX512_BF16_HPP_

#include "engine/kernels/vector_avx512.hpp"

namespace {

/// @brief Products of 16 pairs of bf16, their sums in 16 floats. Inputs and weights are
///        passed as if a pair were a float; denormals count as 0.
struct Vector : Vector512 {
  static const int kInputs = 2;

  using Vector512::Store;
  static void Store(caffe::engine::BFloat16* y, V v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y),
                        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
  }
  static V Fma(V a, V b, V c) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a),
                            reinterpret_cast<__m512bh>(b));
  }
  // The I-th pair of each group, of two pairs or of four.
  template <int I>
  static V GroupsOf4(const float* pixel) {
    const __m512i firsts = _mm512_set_epi32(6, 6, 6, 6, 4, 4, 4, 4, 2, 2, 2, 2,
                                            0, 0, 0, 0);
    return Select(pixel, _mm512_add_epi32(firsts, _mm512_set1_epi32(I)));
  }
  static V GroupsOf8(const float* pixel, int i) {
    const __m512i firsts = _mm512_set_epi32(4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0,
                                            0, 0, 0, 0);
    return Select(pixel, _mm512_add_epi32(firsts, _mm512_set1_epi32(i)));
  }

 private:
  static V Select(const float* pixel, __m512i places) {
    return _mm512_permutexvar_ps(places,
                                 _mm512_castps256_ps512(_mm256_loadu_ps(pixel)));
  }
};

}  // namespace

#endif  // CAFFE_ENGINE_KERNELS_VECTOR_AVX512_BF16_HPP_
