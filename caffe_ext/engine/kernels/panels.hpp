// Matrix products in registers, in the manner of Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication" (2008): tiles of rows and panels of weights,
// the next of which are brought into the cache while the present ones are multiplied.
// For the file of each kind of vectors, which says before what a Vector is
// (vector_avx2.hpp); in an unnamed namespace, as that.
#include <algorithm>

#include "engine/bfloat16.hpp"
#include "engine/kernels/panel_kernel.hpp"

namespace {

using caffe::engine::BFloat16;
using caffe::engine::Matrix;
using caffe::engine::Multiplication;
using caffe::engine::PanelKernel;

inline Vector::V LoadAt(const Matrix& matrix, size_t place) {
  return matrix.bf16 ?
      Vector::Load(static_cast<const BFloat16*>(matrix.data) + place) :
      Vector::Load(static_cast<const float*>(matrix.data) + place);
}

inline void StoreAt(const Matrix& matrix, size_t place, Vector::V v) {
  matrix.bf16 ? Vector::Store(static_cast<BFloat16*>(matrix.data) + place, v) :
      Vector::Store(static_cast<float*>(matrix.data) + place, v);
}

// R rows, the first of which is number `first`. `rows` holds a vector of each row's
// inputs, one more of each, and so on. `next`: `step` bytes are fetched for each.
template <int R, int V>
void Tile(const Multiplication& m, int first, const float* rows, const char* next,
          const size_t step) {
  Vector::V sum[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      sum[r][v] = m.bias ? Vector::Load(m.bias + v * Vector::kLanes) :
          Vector::Zero();
      if (m.from.data) {
        sum[r][v] = Vector::Add(sum[r][v], LoadAt(
            m.from, (first + r) * m.from.step + v * Vector::kLanes));
      }
    }
  }
  const float* weights = m.weights;
  for (int i = 0; i < m.depth; ++i) {
    for (size_t line = 0; line < step; line += 64) {
      _mm_prefetch(next + line, _MM_HINT_T1);
    }
    next += step;
#pragma GCC unroll 8
    for (int k = 0; k < Vector::kLanes; ++k) {
      Vector::V w[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        w[v] = Vector::Load(weights + (k * V + v) * Vector::kLanes);
      }
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const Vector::V x = Vector::Broadcast(rows + r * Vector::kLanes + k);
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) {
          sum[r][v] = Vector::Fma(x, w[v], sum[r][v]);
        }
      }
    }
    rows += Vector::kRows * Vector::kLanes;
    weights += Vector::kLanes * V * Vector::kLanes;
  }
  const Vector::V slope = Vector::Of(m.slope);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      StoreAt(m.to, (first + r) * m.to.step + v * Vector::kLanes,
              Vector::Relu(sum[r][v], slope));
    }
  }
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

template <int V>
void PanelOf(const Multiplication& m, int count, const float* rows) {
  const int kRows = Vector::kRows, tiles = (count + kRows - 1) / kRows;
  const size_t step = sizeof(float) * Vector::kLanes * Vector::kLanes * V / tiles;
  const char* next = reinterpret_cast<const char*>(m.next);
  for (int first = 0; first < count; first += kRows) {
    TileOf<kRows, V>(count - first, m, first, rows, next, step);
    rows += static_cast<size_t>(kRows) * m.depth * Vector::kLanes;
    next += step * m.depth;
  }
}

inline void Multiply(const Multiplication& m, int count, const float* rows) {
  (m.vectors == 3 ? PanelOf<3> : m.vectors == 2 ? PanelOf<2> : PanelOf<1>)(
      m, count, rows);
}

const PanelKernel kPanels = {Vector::kLanes, Vector::kRows, Vector::kInputs, Multiply};

}  // namespace
