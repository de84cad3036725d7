#include "engine/kernels/pointwise.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "engine/onednn.hpp"
#include "engine/parallel.hpp"
#include "engine/split.hpp"

#ifdef __AVX2__
#include <immintrin.h>

namespace caffe {
namespace engine {

namespace {

const int kLanes = 8;   // of a vector
const int kRows = 4;    // of a tile: with 3 vectors each, 12 sums of 16 registers
const int kBlock = 24;  // tiles that are packed at a time, in the second cache
const int kDepth = 256;  // inputs, or some more, that are multiplied at a time

struct Product {
  explicit Product(const Convolution& op)
      : inputs(op.in_per_group()), outputs(op.num_output),
        depths(inputs / kLanes, std::max(1, (inputs + kDepth / 2) / kDepth)),
        panels(outputs / kLanes, Parts(outputs / kLanes, 3)) {}

  int inputs, outputs;
  Split depths;  // inputs, by vectors
  Split panels;  // outputs, by vectors: of three or two, or the only one
};

// Into how many parts tiles of rows and panels are split for threads.
struct Items {
  // As many as cost no more than a twentieth of the time: threads of different
  // speeds are done sooner then.
  Items(int all_tiles, int all_panels, int threads) {
    const auto each = [&](const std::function<void(int, int, double)>& f) {
      const int least = Parts(all_tiles, kBlock);
      const int most = std::min(least + threads - 1, all_tiles);
      for (int tiles = least; tiles <= most; ++tiles) {
        for (int panels = 1; panels <= all_panels; ++panels) {
          // An input of a row is multiplied by a panel in 1.5 cycles, and packed
          // in one.
          f(tiles, panels, Parts(tiles * panels, threads) *
            Parts(all_tiles, tiles) * (1.5 * Parts(all_panels, panels) + 1));
        }
      }
    };
    double least = INFINITY;
    each([&](int, int, double time) { least = std::min(least, time); });
    each([&](int tiles, int panels, double time) {
      if (time <= 1.05 * least && tiles * panels > this->tiles * this->panels) {
        this->tiles = tiles;
        this->panels = panels;
      }
    });
  }
  int tiles = 0, panels = 0;
};

// [part of the inputs][panel][input][output of the panel]
std::vector<float> Pack(const Product& product,
                        const std::vector<float>& plain) {
  std::vector<float> packed;
  packed.reserve(plain.size());
  for (int d = 0; d < product.depths.parts; ++d) {
    for (int p = 0; p < product.panels.parts; ++p) {
      for (int input = product.depths.begin(d) * kLanes;
           input < product.depths.begin(d + 1) * kLanes; ++input) {
        for (int output = product.panels.begin(p) * kLanes;
             output < product.panels.begin(p + 1) * kLanes; ++output) {
          packed.push_back(
              plain[static_cast<size_t>(output) * product.inputs + input]);
        }
      }
    }
  }
  return packed;
}

// What all tiles of some rows and a panel share.
struct Multiplication {
  const float* weights;
  int vectors;        // of inputs
  const float* bias;  // null after the first part of the inputs
  float slope;        // 1 before the last part
  size_t outputs;     // from row to row
  const char* next;   // weights, to be fetched meanwhile
  size_t next_bytes;  // that one tile fetches
};

// `rows` holds eight inputs of each row, eight more of each, and so on. `from`: what
// the sums begin with, beside the bias, or null; it may be `to`.
template <int R, int V>
void Tile(const Multiplication& m, const float* rows, const char* next,
          const float* from, float* to) {
  __m256 sum[R][V];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      sum[r][v] = m.bias ? _mm256_loadu_ps(m.bias + v * kLanes) :
          _mm256_setzero_ps();
      if (from) {
        sum[r][v] = _mm256_add_ps(sum[r][v], _mm256_loadu_ps(
            from + r * m.outputs + v * kLanes));
      }
    }
  }
  const float* weights = m.weights;
  const size_t step = m.next_bytes / m.vectors;
  for (int i = 0; i < m.vectors; ++i) {
    for (size_t line = 0; line < step; line += 64) {
      _mm_prefetch(next + line, _MM_HINT_T1);
    }
    next += step;
#pragma GCC unroll 8
    for (int k = 0; k < kLanes; ++k) {
      __m256 w[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        w[v] = _mm256_load_ps(weights + (k * V + v) * kLanes);
      }
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const __m256 x = _mm256_broadcast_ss(rows + r * kLanes + k);
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) {
          sum[r][v] = _mm256_fmadd_ps(x, w[v], sum[r][v]);
        }
      }
    }
    rows += kRows * kLanes;
    weights += kLanes * V * kLanes;
  }
  const __m256 slope = _mm256_set1_ps(m.slope), zero = _mm256_setzero_ps();
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      // NaN is not above 0, and stays NaN.
      const __m256 positive = _mm256_cmp_ps(sum[r][v], zero, _CMP_GT_OQ);
      _mm256_storeu_ps(to + r * m.outputs + v * kLanes, _mm256_blendv_ps(
          _mm256_mul_ps(sum[r][v], slope), sum[r][v], positive));
    }
  }
}

template <int V>
void Panel(const Multiplication& m, int count, const float* rows,
           const float* from, float* to) {
  const char* next = m.next;
  for (int row = 0; row < count; row += kRows) {
    (count - row >= 4 ? Tile<4, V> : count - row == 3 ? Tile<3, V> :
     count - row == 2 ? Tile<2, V> : Tile<1, V>)(m, rows, next, from, to);
    rows += static_cast<size_t>(kRows) * m.vectors * kLanes;
    next += m.next_bytes;
    from = from ? from + kRows * m.outputs : NULL;
    to += kRows * m.outputs;
  }
}

class Pointwise : public Step {
 public:
  explicit Pointwise(const Convolution& op)
      : product_(op), in_shape_(op.inputs[0]->shape),
        out_shape_(op.outputs[0]->shape), stride_{op.stride[0], op.stride[1]},
        residual_(op.inputs.size() > 1), bias_(op.bias),
        slope_(op.relu ? op.negative_slope : 1),
        threads_(omp_get_max_threads()),
        rows_(out_shape_[0] * out_shape_[2] * out_shape_[3]),
        items_(Parts(rows_, kRows), product_.panels.parts, threads_),
        blocks_(Parts(rows_, kRows), items_.tiles),
        groups_(product_.panels.parts, items_.panels),
        weights_(op.weights->InOwn([this](const std::vector<float>& plain) {
          return Pack(product_, plain);
        })) {}

  virtual void Run(const Buffers& buffers) {
    ParallelAsFree(blocks_.parts * groups_.parts, [&](int i) {
      Item(i % blocks_.parts, i / blocks_.parts, buffers,
           buffers.scratch + omp_get_thread_num() * PackedFloats());
    });
  }
  virtual size_t ScratchFloats() const { return threads_ * PackedFloats(); }
  virtual std::string Implementation() const { return "own AVX2"; }

 private:
  size_t PackedFloats() const {
    const int deepest = Parts(product_.depths.whole, product_.depths.parts);
    return static_cast<size_t>(kBlock) * kRows * deepest * kLanes;
  }

  // A row's inputs: the channels of a position.
  const float* Row(const float* in, size_t row) const {
    const size_t width = out_shape_[3], area = out_shape_[2] * width;
    const size_t y = row % area / width * stride_[0];
    const size_t x = row % width * stride_[1];
    return in + ((row / area * in_shape_[2] + y) * in_shape_[3] + x) *
        product_.inputs;
  }

  void PackRows(const float* in, int begin, int end, int depth,
                float* packed) const {
    const int first = product_.depths.begin(depth);
    const int vectors = product_.depths.begin(depth + 1) - first;
    for (int row = begin; row < end; ++row) {
      const int place = row - begin;
      const float* from = Row(in, row) + first * kLanes;
      float* to = packed + place / kRows * kRows * vectors * kLanes +
          place % kRows * kLanes;
      for (int i = 0; i < vectors; ++i) {
        _mm256_store_ps(to + i * kRows * kLanes,
                        _mm256_loadu_ps(from + i * kLanes));
      }
    }
  }

  // A block of rows with a group of panels.
  void Item(int block, int group, const Buffers& buffers, float* packed) const {
    const int begin = blocks_.begin(block) * kRows;
    const int end = std::min(blocks_.begin(block + 1) * kRows, rows_);
    const int first = groups_.begin(group), last = groups_.begin(group + 1) - 1;
    const size_t outputs = product_.outputs;
    float* out = buffers.output(0) + begin * outputs;
    const float* residual =
        residual_ ? buffers.input(1) + begin * outputs : NULL;
    const int depths = product_.depths.parts;
    for (int depth = 0; depth < depths; ++depth) {
      PackRows(buffers.input(0), begin, end, depth, packed);
      for (int panel = first; panel <= last; ++panel) {
        const int column = product_.panels.begin(panel) * kLanes;
        const float* next = panel < last ? Weights(depth, panel + 1) :
            depth + 1 < depths ? Weights(depth + 1, first) :
            Weights(depth, panel);
        const int vectors = product_.panels.begin(panel + 1) - column / kLanes;
        const int deep = product_.depths.begin(depth + 1) -
            product_.depths.begin(depth);
        const size_t bytes = sizeof(float) * kLanes * kLanes * vectors * deep;
        const Multiplication m = {Weights(depth, panel), deep,
            depth == 0 ? bias_.data() + column : NULL,
            depth + 1 == depths ? slope_ : 1, outputs,
            reinterpret_cast<const char*>(next),
            bytes / Parts(end - begin, kRows)};
        const float* from = depth > 0 ? out : residual;
        (vectors == 3 ? Panel<3> : vectors == 2 ? Panel<2> : Panel<1>)(
            m, end - begin, packed, from ? from + column : NULL, out + column);
      }
    }
  }

  const float* Weights(int depth, int panel) const {
    const size_t first = product_.depths.begin(depth) * kLanes;
    const size_t deep = product_.depths.begin(depth + 1) * kLanes - first;
    return weights_ + first * product_.outputs +
        product_.panels.begin(panel) * kLanes * deep;
  }

  const Product product_;
  const std::vector<int> in_shape_, out_shape_;
  const int stride_[2];
  const bool residual_;
  const std::vector<float> bias_;
  const float slope_;
  const int threads_;
  const int rows_;  // positions of all images
  const Items items_;
  const Split blocks_;  // of tiles
  const Split groups_;  // of panels
  const float* const weights_;
};

}  // namespace

bool FitsPointwise(const Convolution& op) {
  return op.kernel[0] == 1 && op.kernel[1] == 1 && op.pad[0] == 0 &&
      op.pad[1] == 0 && op.group == 1 && op.in_per_group() % kLanes == 0 &&
      op.num_output % kLanes == 0 && !Has(dnnl::cpu_isa::avx512_core);
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
