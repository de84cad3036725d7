#ifndef CAFFE_ENGINE_KERNELS_VECTOR_AVX512_HPP_
#define CAFFE_ENGINE_KERNELS_VECTOR_AVX512_HPP_

#include <immintrin.h>

#include "engine/bfloat16.hpp"

// In an unnamed namespace: what other files share must not be compiled with these
// processors' instructions.
namespace {

/// @brief 16 floats, and what kernels do with them.
struct Vector512 {
  typedef __m512 V;
  static const int kLanes = 16;
  static const int kInputs = 1;  // that a lane holds
  // Pixels of grouped_3x3_tiles.hpp: their sums, and what else is needed, fit the
  // registers.
  static const int kTile = 14;
  // Of panels.hpp: sums take 24 of 32 registers.
  static const int kRows = 6, kVectors = 4;

  static V Load(const float* x) { return _mm512_loadu_ps(x); }
  static V Load(const caffe::engine::BFloat16* x) {
    const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16));
  }
  static void Store(float* y, V v) { _mm512_storeu_ps(y, v); }
  static void Store(caffe::engine::BFloat16* y, V v) {
    // As BFloat16 rounds.
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16),
                                         _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(
        bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i upper = _mm512_srli_epi32(_mm512_mask_or_epi32(rounded,
        _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), bits,
        _mm512_set1_epi32(0x400000)), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y),
                        _mm512_cvtepi32_epi16(upper));
  }
  static V Zero() { return _mm512_setzero_ps(); }
  static V Of(float x) { return _mm512_set1_ps(x); }
  static V Broadcast(const float* x) { return _mm512_set1_ps(*x); }
  static V Fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V Add(V a, V b) { return _mm512_add_ps(a, b); }
  static V Relu(V x, V slope) {
    // NaN is not above 0, and stays NaN.
    const __mmask16 rest = _mm512_cmp_ps_mask(x, Zero(), _CMP_NGT_UQ);
    return _mm512_mask_mul_ps(x, rest, x, slope);
  }
  template <int I>
  static V GroupsOf4(const float* pixel) {
    return _mm512_permute_ps(_mm512_loadu_ps(pixel), I * 0x55);
  }
  static V GroupsOf8(const float* pixel, int i) {
    const __m512i firsts = _mm512_set_epi32(8, 8, 8, 8, 8, 8, 8, 8, 0, 0, 0, 0,
                                            0, 0, 0, 0);
    return _mm512_permutexvar_ps(_mm512_add_epi32(firsts, _mm512_set1_epi32(i)),
                                 _mm512_loadu_ps(pixel));
  }
};

}  // namespace

#endif  // CAFFE_ENGINE_KERNELS_VECTOR_AVX512_HPP_
