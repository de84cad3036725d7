#ifndef CAFFE_ENGINE_KERNELS_VECTOR_AVX2_HPP_
#define CAFFE_ENGINE_KERNELS_VECTOR_AVX2_HPP_

#include <immintrin.h>

#include "engine/bfloat16.hpp"

// In an unnamed namespace: what other files share must not be compiled with these
// processors' instructions.
namespace {

/// @brief 8 floats, and what kernels do with them.
struct Vector {
  typedef __m256 V;
  static const int kLanes = 8;
  static const int kInputs = 1;  // that a lane holds
  // Pixels of grouped_3x3_tiles.hpp: their sums, and what else is needed, fit the
  // registers.
  static const int kTile = 7;
  // Of panels.hpp: sums take 12 of 16 registers.
  static const int kRows = 4, kVectors = 3;

  static V Load(const float* x) { return _mm256_loadu_ps(x); }
  static V Load(const caffe::engine::BFloat16* x) {
    const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(upper), 16));
  }
  static void Store(float* y, V v) { _mm256_storeu_ps(y, v); }
  static void Store(caffe::engine::BFloat16* y, V v) {
    // As BFloat16 rounds.
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16),
                                         _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(
        bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
    const __m256i upper = _mm256_srli_epi32(_mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(rounded),
                         _mm256_castsi256_ps(quiet), nan)), 16);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y), _mm_packus_epi32(
        _mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1)));
  }
  static V Zero() { return _mm256_setzero_ps(); }
  static V Of(float x) { return _mm256_set1_ps(x); }
  static V Broadcast(const float* x) { return _mm256_broadcast_ss(x); }
  static V Fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  static V Add(V a, V b) { return _mm256_add_ps(a, b); }
  static V Relu(V x, V slope) {
    // NaN is not above 0, and stays NaN.
    const V positive = _mm256_cmp_ps(x, Zero(), _CMP_GT_OQ);
    return _mm256_blendv_ps(_mm256_mul_ps(x, slope), x, positive);
  }
  template <int I>
  static V GroupsOf4(const float* pixel) {
    return _mm256_permute_ps(_mm256_loadu_ps(pixel), I * 0x55);
  }
  // One group then.
  static V GroupsOf8(const float* pixel, int i) { return Broadcast(pixel + i); }
};

}  // namespace

#endif  // CAFFE_ENGINE_KERNELS_VECTOR_AVX2_HPP_
