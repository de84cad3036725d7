// The grouped 3x3 kernel, for the file of each kind of vectors, which says before
// what a Vector is (vector_avx2.hpp). All of it in an unnamed namespace, as that.
#include "engine/kernels/grouped_3x3_plane.hpp"

#define ALWAYS_INLINE inline __attribute__((always_inline))

namespace caffe {
namespace engine {

namespace {

// A channel (or pair) of each lane's group, of groups of 4 or 8; or one for all lanes.
struct Of4 {
  template <int I>
  static ALWAYS_INLINE Vector::V At(const float* pixel, int) {
    return Vector::GroupsOf4<I>(pixel);
  }
};
struct Of8 {
  template <int I>
  static ALWAYS_INLINE Vector::V At(const float* pixel, int i) {
    return Vector::GroupsOf8(pixel, i);
  }
};
struct OfAll {
  template <int I>
  static ALWAYS_INLINE Vector::V At(const float* pixel, int i) {
    return Vector::Broadcast(pixel + i);
  }
};

// One row of the kernel, one channel, T pixels of V vectors of outputs.
template <typename Groups, int I, int T, int V, int S, int D>
ALWAYS_INLINE void Row(const GroupedPlane& plane, const float* in, const int i,
                       const float* weights, Vector::V (&sum)[T][V]) {
  Vector::V w[V][3];
#pragma GCC unroll 2
  for (int v = 0; v < V; ++v) {
#pragma GCC unroll 3
    for (int kx = 0; kx < 3; ++kx) {
      w[v][kx] = Vector::Load(
          weights + v * plane.weights_step + kx * Vector::kLanes);
    }
  }
#pragma GCC unroll 40
  for (int p = 0; p <= (T - 1) * S + 2 * D; ++p) {
    const bool in0 = p % S == 0 && p / S < T;
    const bool in1 = p >= D && (p - D) % S == 0 && (p - D) / S < T;
    const bool in2 = p >= 2 * D && (p - 2 * D) % S == 0;
    if (!in0 && !in1 && !in2) {
      continue;
    }
    const Vector::V x = Groups::template At<I>(in + p * plane.step, i);
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      if (in0) { sum[p / S][v] = Vector::Fma(x, w[v][0], sum[p / S][v]); }
      if (in1) {
        sum[(p - D) / S][v] = Vector::Fma(x, w[v][1], sum[(p - D) / S][v]);
      }
      if (in2) {
        sum[(p - 2 * D) / S][v] =
            Vector::Fma(x, w[v][2], sum[(p - 2 * D) / S][v]);
      }
    }
  }
}

template <int T, int V, int S, int D, typename Number>
ALWAYS_INLINE void Tile(const GroupedPlane& plane, const float* in,
    const float* weights, const Vector::V (&bias)[V], Number* out,
    Vector::V (&total)[V]) {
  const int kWeights = 3 * Vector::kLanes;  // of a row of the kernel
  Vector::V sum[T][V];
#pragma GCC unroll 14
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) { sum[t][v] = bias[v]; }
    __builtin_prefetch(out + t * plane.out_step, 1);
  }
  for (int ky = 0; ky < 3; ++ky, in += D * plane.row) {
    if (V == 1 && plane.channels == GroupedPlane::GROUPS_OF_4) {
      Row<Of4, 0, T, V, S, D>(plane, in, 0, weights, sum);
      Row<Of4, 1, T, V, S, D>(plane, in, 1, weights + kWeights, sum);
      if constexpr (Vector::kInputs == 1) {
        Row<Of4, 2, T, V, S, D>(plane, in, 2, weights + 2 * kWeights, sum);
        Row<Of4, 3, T, V, S, D>(plane, in, 3, weights + 3 * kWeights, sum);
      }
      weights += 4 / Vector::kInputs * kWeights;
    } else if (V == 1 && plane.channels == GroupedPlane::GROUPS_OF_8) {
      for (int i = 0; i < 8 / Vector::kInputs; ++i, weights += kWeights) {
        Row<Of8, 0, T, V, S, D>(plane, in, i, weights, sum);
      }
    } else {
      for (int i = 0; i < plane.count; ++i, weights += kWeights) {
        Row<OfAll, 0, T, V, S, D>(plane, in, i, weights, sum);
      }
    }
  }
  const Vector::V slope = Vector::Broadcast(&plane.slope);
#pragma GCC unroll 14
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      const Vector::V y = Vector::Relu(sum[t][v], slope);
      Vector::Store(out + t * plane.out_step + v * Vector::kLanes, y);
      total[v] = Vector::Add(total[v], y);
    }
  }
}

// A line's share of them, into the second cache: the first has what is in use.
inline void FetchNext(const GroupedPlane& plane, int y) {
  if (plane.next) {
    const int share = plane.next_floats / plane.out_height + 1;
    const int end = (y + 1) * share;
    for (int i = y * share; i < end && i < plane.next_floats; i += 16) {
      __builtin_prefetch(plane.next + i, 0, 2);
    }
  }
}

// T: the pixels that are computed together, at most.
template <int T, int V, int S, int D, typename Number>
void Lines(const GroupedPlane& plane, const float* in, const float* weights,
           const float* bias, Number* line_out, float* total) {
  Vector::V b[V], sum[V];
  for (int v = 0; v < V; ++v) {
    b[v] = Vector::Load(bias + v * Vector::kLanes);
    sum[v] = Vector::Load(total + v * Vector::kLanes);
  }
  for (int y = 0; y < plane.out_height; ++y) {
    FetchNext(plane, y);
    const float* at = in + static_cast<size_t>(y) * S * plane.row;
    Number* pixel = line_out;
    Vector::V line[V];
    for (int v = 0; v < V; ++v) { line[v] = Vector::Zero(); }
    int x = 0;
#define TILES(T)                                                             \
    for (; x + T <= plane.out_width; x += T) {                               \
      Tile<T, V, S, D>(plane, at, weights, b, pixel, line);                  \
      at += T * S * plane.step;                                              \
      pixel += T * plane.out_step;                                           \
    }
    // 7 divides the widths of ImageNet's nets: 56, 28, 14, 7.
    TILES(T) TILES(7) TILES(4) TILES(2) TILES(1)
#undef TILES
    line_out += static_cast<size_t>(plane.out_width) * plane.out_step;
    for (int v = 0; v < V; ++v) { sum[v] = Vector::Add(sum[v], line[v]); }
  }
  for (int v = 0; v < V; ++v) { Vector::Store(total + v * Vector::kLanes, sum[v]); }
}

template <int S, int D, typename Number>
void Plane(const GroupedPlane& plane, const float* in, const float* weights,
           const float* bias, void* out, float* total) {
  Number* numbers = static_cast<Number*>(out);
  if constexpr (Vector::kInputs == 2) {
    if (plane.vectors == 2) {
      return Lines<7, 2, S, D>(plane, in, weights, bias, numbers, total);
    }
  }
  Lines<Vector::kTile, 1, S, D>(plane, in, weights, bias, numbers, total);
}

template <typename Number>
GroupedPlaneFunction FindPlane(int stride, int dilation) {
  if (stride == 1) {
    return dilation == 1 ? Plane<1, 1, Number> :
        dilation == 2 ? Plane<1, 2, Number> :
        dilation == 3 ? Plane<1, 3, Number> : NULL;
  }
  return stride != 2 ? NULL : dilation == 1 ? Plane<2, 1, Number> :
      dilation == 2 ? Plane<2, 2, Number> :
      dilation == 3 ? Plane<2, 3, Number> : NULL;
}

}  // namespace

}  // namespace engine
}  // namespace caffe
