// Matrix products in registers, in the manner of Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication" (2008): tiles of rows and panels of weights,
// the next of which are brought into the cache while the present ones are multiplied.
// For the file of each kind of vectors, which says before what a Vector is
// (vector_avx2.hpp); in an unnamed namespace, as that.
#include "engine/bfloat16.hpp"
#include "engine/kernels/panel_kernel.hpp"

namespace {

using caffe::engine::BFloat16;
using caffe::engine::Matrix;
using caffe::engine::Multiplication;
using caffe::engine::PanelKernel;

template <typename Number, int R, int V>
inline __attribute__((always_inline)) void AddRows(
    const Matrix& matrix, int first, Vector::V (&sum)[R][V]) {
  const Number* row = static_cast<const Number*>(matrix.data) + first * matrix.step;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r, row += matrix.step) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      sum[r][v] = Vector::Add(sum[r][v], Vector::Load(row + v * Vector::kLanes));
    }
  }
}

template <typename Number, int R, int V>
inline __attribute__((always_inline)) void StoreRows(
    const Vector::V (&sum)[R][V], const Matrix& matrix, int first) {
  Number* row = static_cast<Number*>(matrix.data) + first * matrix.step;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r, row += matrix.step) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      Vector::Store(row + v * Vector::kLanes, sum[r][v]);
    }
  }
}

// R rows, the first of which is number `first`. `next`: `step` bytes are fetched for
// each vector of inputs.
template <int R, int V>
void Tile(const Multiplication& m, int first, const float* rows, const char* next,
          const size_t step) {
  Vector::V sum[R][V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const Vector::V bias =
        m.bias ? Vector::Load(m.bias + v * Vector::kLanes) : Vector::Zero();
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) { sum[r][v] = bias; }
  }
  if (m.to.bf16) {  // of floats it gains nothing
    const BFloat16* to =
        static_cast<const BFloat16*>(m.to.data) + first * m.to.step;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r, to += m.to.step) {
      for (int v = 0; v < V; v += 2) {
        __builtin_prefetch(to + v * Vector::kLanes, 1);
      }
    }
  }
  const float* weights = m.weights;
  const size_t row_step = m.row_step;
  for (int i = 0; i < m.depth; ++i) {
    for (size_t line = 0; line < step; line += 64) {
      _mm_prefetch(next + line, _MM_HINT_T1);
    }
    next += step;
#pragma GCC unroll 8
    for (int k = 0; k < Vector::kLanes; ++k) {
      Vector::V w[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        w[v] = Vector::Load(weights + (k * V + v) * Vector::kLanes);
      }
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const Vector::V x = Vector::Broadcast(rows + r * row_step + k);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) {
          sum[r][v] = Vector::Fma(x, w[v], sum[r][v]);
        }
      }
    }
    rows += Vector::kLanes;
    weights += Vector::kLanes * V * Vector::kLanes;
  }
  if (m.from.data) {
    m.from.bf16 ? AddRows<BFloat16>(m.from, first, sum) :
        AddRows<float>(m.from, first, sum);
  }
  if (m.slope != 1) {
    const Vector::V slope = Vector::Of(m.slope);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) { sum[r][v] = Vector::Relu(sum[r][v], slope); }
    }
  }
  m.to.bf16 ? StoreRows<BFloat16>(sum, m.to, first) :
      StoreRows<float>(sum, m.to, first);
}

// The last rows are fewer.
template <int R, int V>
void TileOf(int count, const Multiplication& m, int first, const float* rows,
            const char* next, size_t step) {
  if constexpr (R > 1) {
    if (count < R) {
      return TileOf<R - 1, V>(count, m, first, rows, next, step);
    }
  }
  Tile<R, V>(m, first, rows, next, step);
}

// Narrower panels have fewer vectors.
template <int V>
void Panel(const Multiplication& m, int count) {
  if constexpr (V > 1) {
    if (m.vectors < V) {
      return Panel<V - 1>(m, count);
    }
  }
  const int kRows = Vector::kRows, tiles = (count + kRows - 1) / kRows;
  const size_t step = sizeof(float) * Vector::kLanes * Vector::kLanes * V / tiles;
  const float* rows = m.rows;
  const char* next = reinterpret_cast<const char*>(m.next);
  for (int first = 0; first < count; first += kRows) {
    TileOf<kRows, V>(count - first, m, first, rows, next, step);
    rows += kRows * m.row_step;
    next += step * m.depth;
  }
}

const PanelKernel kPanels = {Vector::kLanes, Vector::kRows, Vector::kVectors,
                             Vector::kInputs, Panel<Vector::kVectors>};

}  // namespace
