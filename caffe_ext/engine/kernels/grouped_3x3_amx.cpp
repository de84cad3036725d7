#include "engine/kernels/grouped_3x3_unit.hpp"

#ifdef __AMX_BF16__
#include <immintrin.h>

namespace caffe {
namespace engine {

namespace {

// Four sums of 16 outputs each, for runs of up to 16 pixels of a row: so many
// products, independent of each other, hide what one takes. Tiles 4 to 6 are
// pixels, 7 is weights.
const int kRuns = 4;

// As the instruction wants it.
struct TileConfiguration {
  uint8_t palette, start_row, zeros[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

// gcc does not know that tile instructions read memory.
inline void Barrier(const void* written) {
  __asm__ volatile("" : : "r"(written) : "memory");
}

void Configure(int pixels) {
  TileConfiguration tiles = {1};
  for (int i = 0; i < 8; ++i) {
    tiles.row_bytes[i] = 64;
    tiles.rows[i] = i < 7 ? pixels : GroupedUnit::kChannels / 2;
  }
  Barrier(&tiles);
  _tile_loadconfig(&tiles);
}

struct Run {
  const uint16_t* in;
  uint16_t* out;
  int skipped;  // pixels, which the run before has, too
};

// The sums of four runs, without bias.
inline void Products(const GroupedUnit& unit, const Run* runs,
                     const uint16_t* weights, float (*sums)[256]) {
  const long step = unit.stride * 64;  // NOLINT: the intrinsics' type
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int ky = 0; ky < 3; ++ky) {
    for (int kx = 0; kx < 3; ++kx) {
      const int at = (ky * unit.row + kx * GroupedUnit::kChannels) * unit.dilation;
      _tile_loadd(7, weights, 64);
      _tile_loadd(4, runs[0].in + at, step);
      _tile_dpbf16ps(0, 4, 7);
      _tile_loadd(5, runs[1].in + at, step);
      _tile_dpbf16ps(1, 5, 7);
      _tile_loadd(6, runs[2].in + at, step);
      _tile_dpbf16ps(2, 6, 7);
      _tile_loadd(4, runs[3].in + at, step);
      _tile_dpbf16ps(3, 4, 7);
      weights += GroupedUnit::kChannels * GroupedUnit::kBlock;
    }
  }
  _tile_stored(0, sums[0], 64);
  _tile_stored(1, sums[1], 64);
  _tile_stored(2, sums[2], 64);
  _tile_stored(3, sums[3], 64);
}

// A run's outputs; returns their sum over its pixels.
inline __m512 Store(const float* sums, int skipped, int pixels, __m512 bias,
                    __m512 slope, int step, uint16_t* out) {
  __m512 total = _mm512_setzero_ps();
  for (int i = skipped; i < pixels; ++i) {
    const __m512 x = _mm512_add_ps(_mm512_loadu_ps(sums + i * 16), bias);
    // NaN is not above 0, and stays NaN.
    const __mmask16 rest =
        _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NGT_UQ);
    const __m512 y = _mm512_mask_mul_ps(x, rest, x, slope);
    total = _mm512_add_ps(total, y);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i * step),
                        (__m256i)_mm512_cvtneps_pbh(y));
  }
  return total;
}

void Unit(const GroupedUnit& unit, int blocks, const uint16_t* in,
          const uint16_t* weights, const float* bias, uint16_t* out,
          float* total) {
  alignas(64) float sums[kRuns][256];
  // As equal as can be; the last of a row begins earlier, where it must.
  const int per_row = (unit.out_width + 15) / 16;
  const int pixels = (unit.out_width + per_row - 1) / per_row;
  const int count = unit.out_height * per_row;
  Barrier(in);
  Configure(pixels);
  const __m512 slope = _mm512_set1_ps(unit.slope);
  for (int first = 0; first < count; first += kRuns) {
    Run runs[kRuns];
    for (int i = 0; i < kRuns; ++i) {
      // The last ones are computed again where there are no four.
      const int run = first + i < count ? first + i : count - 1;
      const int y = run / per_row, begin = run % per_row * pixels;
      const int x = begin + pixels <= unit.out_width ? begin :
          unit.out_width - pixels;
      runs[i].in = in + (static_cast<int64_t>(y) * unit.row +
                         x * GroupedUnit::kChannels) * unit.stride;
      runs[i].out = out +
          (static_cast<int64_t>(y) * unit.out_width + x) * unit.out_step;
      runs[i].skipped = begin - x;
    }
    // All blocks at once: the outputs' lines are in the cache.
    for (int block = 0; block < blocks; ++block) {
      const int c = block * GroupedUnit::kBlock;
      Products(unit, runs, weights + block * GroupedUnit::kWeights, sums);
      const __m512 b = _mm512_loadu_ps(bias + c);
      __m512 sum = _mm512_loadu_ps(total + c);
      for (int i = 0; i < kRuns && first + i < count; ++i) {
        sum = _mm512_add_ps(sum, Store(sums[i], runs[i].skipped, pixels, b,
            slope, unit.out_step, runs[i].out + c));
      }
      _mm512_storeu_ps(total + c, sum);
    }
  }
  _tile_release();
}

}  // namespace

GroupedUnitFunction GroupedUnitAmx() { return Unit; }

}  // namespace engine
}  // namespace caffe

#else

namespace caffe {
namespace engine {

GroupedUnitFunction GroupedUnitAmx() { return 0; }

}  // namespace engine
}  // namespace caffe

#endif  // __AMX_BF16__
