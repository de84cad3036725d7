#include "engine/bfloat16.hpp"
#include "engine/kernels/grouped_3x3_plane.hpp"

#ifdef __AVX512F__
#include <immintrin.h>

namespace {

struct Vector {
  typedef __m512 V;
  static const int kLanes = 16, kTile = 14;

  static V Load(const float* x) { return _mm512_loadu_ps(x); }
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

#include "engine/kernels/grouped_3x3_tiles.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

template <typename T>
GroupedPlaneFunction GroupedPlaneAvx512(int stride, int dilation) {
#ifdef __AVX512F__
  return FindPlane<T>(stride, dilation);
#else
  return NULL;
#endif
}

template GroupedPlaneFunction GroupedPlaneAvx512<float>(int, int);
template GroupedPlaneFunction GroupedPlaneAvx512<BFloat16>(int, int);

}  // namespace engine
}  // namespace caffe
