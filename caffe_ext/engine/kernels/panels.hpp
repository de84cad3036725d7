// Matrix products in registers, in the manner of Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication" (2008): tiles of rows and panels of weights,
// the next of which are brought into the cache while the present ones are multiplied.
// For the file of each kind of vectors, which says before what a Vector is
// (vector_avx2.hpp); in an unnamed namespace, as that.
#include <cstddef>

namespace {

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

// `rows` holds a vector of each row's inputs, one more of each, and so on. `from`: what
// the sums begin with, beside the bias, or null; it may be `to`.
template <int R, int V>
void Tile(const Multiplication& m, const float* rows, const char* next,
          const float* from, float* to) {
  Vector::V sum[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) {
      sum[r][v] = m.bias ? Vector::Load(m.bias + v * Vector::kLanes) :
          Vector::Zero();
      if (from) {
        sum[r][v] = Vector::Add(sum[r][v], Vector::Load(
            from + r * m.outputs + v * Vector::kLanes));
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
      Vector::Store(to + r * m.outputs + v * Vector::kLanes,
                    Vector::Relu(sum[r][v], slope));
    }
  }
}

// The last rows are fewer.
template <int R, int V>
void TileOf(int count, const Multiplication& m, const float* rows,
            const char* next, const float* from, float* to) {
  if constexpr (R > 1) {
    if (count < R) {
      return TileOf<R - 1, V>(count, m, rows, next, from, to);
    }
  }
  Tile<R, V>(m, rows, next, from, to);
}

template <int V>
void PanelOf(const Multiplication& m, int count, const float* rows,
             const float* from, float* to) {
  const int kRows = Vector::kRows;
  const char* next = m.next;
  for (int row = 0; row < count; row += kRows) {
    TileOf<kRows, V>(count - row, m, rows, next, from, to);
    rows += static_cast<size_t>(kRows) * m.vectors * Vector::kLanes;
    next += m.next_bytes;
    from = from ? from + kRows * m.outputs : NULL;
    to += kRows * m.outputs;
  }
}

// `count` rows with a panel of one vector of outputs, two or three.
inline void Panel(int vectors, const Multiplication& m, int count,
                  const float* rows, const float* from, float* to) {
  (vectors == 3 ? PanelOf<3> : vectors == 2 ? PanelOf<2> : PanelOf<1>)(
      m, count, rows, from, to);
}

}  // namespace
