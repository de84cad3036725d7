#include "engine/kernels/pointwise.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/parallel.hpp"

#ifdef __AVX2__
#include <immintrin.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace caffe {
namespace engine {

namespace {

const int kLanes = 8;
const int kRows = 6;             // positions in registers
const int kColumns = 2 * kLanes;  // outputs in registers
const int kDepth = 256;          // channels at a time: what the first cache holds
const int kBlock = 120;          // positions at a time, about: the second cache
const int kStride = kDepth + 16;  // of copied positions; no power of 2

int Pieces(int count, int size) { return (count + size - 1) / size; }

// Where piece i of `pieces` begins, all of nearly the same size.
int Begin(int count, int pieces, int i) {
  return static_cast<int64_t>(count) * i / pieces;
}

struct Target {
  float* y;
  const float* add;   // y's earlier part, a residual, or NULL
  const float* bias;  // or NULL
  float slope;        // of negative results; 1 leaves them as they are
  int step;           // floats between positions of y and add
  int columns;        // that are there, at most kColumns
};

ALWAYS_INLINE __m256i FirstLanes(int count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
}

// R positions by kColumns outputs.
template <int R, bool Whole>
void Tile(const float* x, const float* weights, int depth,
          const Target& target) {
  __m256 sum[R][2];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) { sum[r][0] = sum[r][1] = _mm256_setzero_ps(); }
  for (int k = 0; k < depth; ++k, weights += kColumns) {
    const __m256 w0 = _mm256_load_ps(weights);
    const __m256 w1 = _mm256_load_ps(weights + kLanes);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m256 value = _mm256_broadcast_ss(x + r * kStride + k);
      sum[r][0] = _mm256_fmadd_ps(value, w0, sum[r][0]);
      sum[r][1] = _mm256_fmadd_ps(value, w1, sum[r][1]);
    }
  }
  const __m256 slope = _mm256_set1_ps(target.slope);
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    const __m256i mask = FirstLanes(target.columns - half * kLanes);
    const auto load = [&](const float* at) {
      return Whole ? _mm256_loadu_ps(at) : _mm256_maskload_ps(at, mask);
    };
    const __m256 bias = target.bias ? load(target.bias + half * kLanes) :
        _mm256_setzero_ps();
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const size_t at = static_cast<size_t>(r) * target.step + half * kLanes;
      __m256 y = _mm256_add_ps(sum[r][half], bias);
      if (target.add) {
        y = _mm256_add_ps(y, load(target.add + at));
      }
      // NaN is not above 0, and stays NaN.
      y = _mm256_blendv_ps(_mm256_mul_ps(y, slope), y,
          _mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ));
      if (Whole) {
        _mm256_storeu_ps(target.y + at, y);
      } else {
        _mm256_maskstore_ps(target.y + at, mask, y);
      }
    }
  }
}

typedef void (*TileFunction)(const float*, const float*, int, const Target&);

TileFunction Find(int rows, bool whole) {
  static const TileFunction functions[2][kRows] = {
    {Tile<1, false>, Tile<2, false>, Tile<3, false>, Tile<4, false>,
     Tile<5, false>, Tile<6, false>},
    {Tile<1, true>, Tile<2, true>, Tile<3, true>, Tile<4, true>,
     Tile<5, true>, Tile<6, true>}};
  return functions[whole][rows - 1];
}

// channels x outputs → [outputs / 16][channels][16]
std::vector<float> Pack(const std::vector<float>& plain, int outputs) {
  const int channels = plain.size() / outputs;
  std::vector<float> packed(
      static_cast<size_t>(Pieces(outputs, kColumns)) * kColumns * channels);
  for (int i = 0; i < outputs; ++i) {
    float* to = &packed[static_cast<size_t>(i / kColumns) * kColumns * channels +
                        i % kColumns];
    for (int c = 0; c < channels; ++c) {
      to[c * kColumns] = plain[static_cast<size_t>(i) * channels + c];
    }
  }
  return packed;
}

class Pointwise : public Step {
 public:
  explicit Pointwise(const Convolution& op)
      : channels_(op.inputs[0]->shape[1]), outputs_(op.num_output),
        threads_(omp_get_max_threads()), residual_(op.inputs.size() > 1),
        slope_(op.relu ? op.negative_slope : 1), bias_(op.bias),
        weights_(op.weights->InOwn([&](const std::vector<float>& plain) {
          return Pack(plain, op.num_output);
        })) {
    for (int i = 0; i < 2; ++i) {
      in_[i] = op.inputs[0]->shape[2 + i];
      out_[i] = op.outputs[0]->shape[2 + i];
      stride_[i] = op.stride[i];
    }
    positions_ = op.outputs[0]->shape[0] * out_[0] * out_[1];
    // Threads share the positions, or, where those are few, the outputs.
    blocks_ = Pieces(positions_, kBlock);
    shares_ = 1;
    if (positions_ >= 8 * kRows * threads_) {
      blocks_ = Pieces(blocks_, threads_) * threads_;
    } else {
      shares_ = std::min(Pieces(outputs_, kColumns), threads_);
    }
    rows_ = Pieces(Pieces(positions_, blocks_), kRows) * kRows + kRows;
  }

  virtual void Run(const Buffers& buffers) {
    Parallel(blocks_ * shares_, [&](int i) {
      const int block = i / shares_, share = i % shares_;
      const int panels = Pieces(outputs_, kColumns);
      Block(buffers, Begin(positions_, blocks_, block),
            Begin(positions_, blocks_, block + 1),
            Begin(panels, shares_, share), Begin(panels, shares_, share + 1),
            buffers.scratch + omp_get_thread_num() * rows_ * kStride);
    });
  }

  virtual size_t ScratchFloats() const {
    return static_cast<size_t>(threads_) * rows_ * kStride;
  }
  virtual std::string Implementation() const { return "own AVX2"; }

 private:
  void Block(const Buffers& buffers, int first, int last, int first_panel,
             int last_panel, float* x) const {
    const int slices = Pieces(channels_, kDepth);
    for (int slice = 0; slice < slices; ++slice) {
      const int begin = Begin(channels_, slices, slice);
      const int depth = Begin(channels_, slices, slice + 1) - begin;
      for (int i = first; i < last; ++i) {
        std::memcpy(x + (i - first) * kStride,
                    Position(buffers.inputs[0], i) + begin,
                    depth * sizeof(float));
      }
      for (int panel = first_panel; panel < last_panel; ++panel) {
        const size_t column = static_cast<size_t>(panel) * kColumns;
        Target target = {NULL, NULL, slice ? NULL : &bias_[column],
                         slice + 1 == slices ? slope_ : 1, outputs_,
                         std::min<int>(kColumns, outputs_ - column)};
        const float* earlier = slice ? buffers.outputs[0] :
            residual_ ? buffers.inputs[1] : NULL;
        const float* weights =
            weights_ + (column * channels_ + begin * kColumns);
        const int tiles = Pieces(last - first, kRows);
        for (int tile = 0; tile < tiles; ++tile) {
          const int row = Begin(last - first, tiles, tile);
          const int rows = Begin(last - first, tiles, tile + 1) - row;
          const size_t at =
              static_cast<size_t>(first + row) * outputs_ + column;
          target.y = buffers.outputs[0] + at;
          target.add = earlier ? earlier + at : NULL;
          // The next panel comes to the second cache meanwhile.
          const float* next = weights + channels_ * kColumns;
          for (int k = Begin(depth, tiles, tile);
               k < Begin(depth, tiles, tile + 1); ++k) {
            _mm_prefetch(next + k * kColumns, _MM_HINT_T1);
          }
          Find(rows, target.columns == kColumns)(x + row * kStride, weights,
                                                 depth, target);
        }
      }
    }
  }

  const float* Position(const float* input, int i) const {
    const int x = i % out_[1], y = i / out_[1] % out_[0];
    const int n = i / (out_[1] * out_[0]);
    return input + (static_cast<size_t>(n * in_[0] + y * stride_[0]) * in_[1] +
                    x * stride_[1]) * channels_;
  }

  const int channels_, outputs_, threads_;
  const bool residual_;
  const float slope_;
  const std::vector<float> bias_;
  const float* weights_;
  int in_[2], out_[2], stride_[2];
  int positions_, blocks_, shares_;
  int rows_;  // of a block, at most
};

}  // namespace

bool FitsPointwise(const Convolution& op) {
  // With AVX-512 oneDNN has better ones.
  return !__builtin_cpu_supports("avx512f") && op.group == 1 &&
      op.kernel[0] == 1 && op.kernel[1] == 1 && op.pad[0] == 0 &&
      op.pad[1] == 0;
}

std::unique_ptr<Step> MakePointwise(const Convolution& op) {
  return std::unique_ptr<Step>(new Pointwise(op));
}

}  // namespace engine
}  // namespace caffe

#else

namespace caffe {
namespace engine {

bool FitsPointwise(const Convolution&) { return false; }

std::unique_ptr<Step> MakePointwise(const Convolution&) { return nullptr; }

}  // namespace engine
}  // namespace caffe

#endif
