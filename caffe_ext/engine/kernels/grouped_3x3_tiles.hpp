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

// One row of the kernel, one channel, T pixels of a vector of outputs.
template <typename Groups, int I, int T, int S, int D>
ALWAYS_INLINE void Row(const float* in, const int i, const int step,
                       const float* weights, Vector::V* sum) {
  const Vector::V w0 = Vector::Load(weights);
  const Vector::V w1 = Vector::Load(weights + Vector::kLanes);
  const Vector::V w2 = Vector::Load(weights + 2 * Vector::kLanes);
#pragma GCC unroll 40
  for (int p = 0; p <= (T - 1) * S + 2 * D; ++p) {
    const bool in0 = p % S == 0 && p / S < T;
    const bool in1 = p >= D && (p - D) % S == 0 && (p - D) / S < T;
    const bool in2 = p >= 2 * D && (p - 2 * D) % S == 0;
    if (!in0 && !in1 && !in2) {
      continue;
    }
    const Vector::V x = Groups::template At<I>(in + p * step, i);
    if (in0) { sum[p / S] = Vector::Fma(x, w0, sum[p / S]); }
    if (in1) { sum[(p - D) / S] = Vector::Fma(x, w1, sum[(p - D) / S]); }
    if (in2) {
      sum[(p - 2 * D) / S] = Vector::Fma(x, w2, sum[(p - 2 * D) / S]);
    }
  }
}

template <int T, int S, int D, typename Number>
ALWAYS_INLINE void Tile(const GroupedPlane& plane, const float* in,
    const float* weights, const Vector::V bias, Number* out,
    Vector::V* total) {
  const int kWeights = 3 * Vector::kLanes;  // of a row of the kernel
  const int step = plane.step;
  Vector::V sum[T];
#pragma GCC unroll 14
  for (int t = 0; t < T; ++t) {
    sum[t] = bias;
    __builtin_prefetch(out + t * plane.out_step, 1);
  }
  for (int ky = 0; ky < 3; ++ky, in += D * plane.row) {
    if (plane.channels == GroupedPlane::GROUPS_OF_4) {
      Row<Of4, 0, T, S, D>(in, 0, step, weights, sum);
      Row<Of4, 1, T, S, D>(in, 1, step, weights + kWeights, sum);
      if constexpr (Vector::kInputs == 1) {
        Row<Of4, 2, T, S, D>(in, 2, step, weights + 2 * kWeights, sum);
        Row<Of4, 3, T, S, D>(in, 3, step, weights + 3 * kWeights, sum);
      }
      weights += 4 / Vector::kInputs * kWeights;
    } else if (plane.channels == GroupedPlane::GROUPS_OF_8) {
      for (int i = 0; i < 8 / Vector::kInputs; ++i, weights += kWeights) {
        Row<Of8, 0, T, S, D>(in, i, step, weights, sum);
      }
    } else {
      for (int i = 0; i < plane.count; ++i, weights += kWeights) {
        Row<OfAll, 0, T, S, D>(in, i, step, weights, sum);
      }
    }
  }
  const Vector::V slope = Vector::Broadcast(&plane.slope);
#pragma GCC unroll 14
  for (int t = 0; t < T; ++t) {
    const Vector::V y = Vector::Relu(sum[t], slope);
    Vector::Store(out + t * plane.out_step, y);
    *total = Vector::Add(*total, y);
  }
}

template <int S, int D, typename Number>
void Plane(const GroupedPlane& plane, const float* in, const float* weights,
           const float* bias, void* out, float* total) {
  Number* line_out = static_cast<Number*>(out);
  const Vector::V b = Vector::Load(bias);
  Vector::V sum = Vector::Load(total);
  for (int y = 0; y < plane.out_height; ++y) {
    const float* at = in + static_cast<size_t>(y) * S * plane.row;
    Number* pixel = line_out;
    Vector::V line = Vector::Zero();
    int x = 0;
#define TILES(T)                                                             \
    for (; x + T <= plane.out_width; x += T) {                               \
      Tile<T, S, D>(plane, at, weights, b, pixel, &line);                    \
      at += T * S * plane.step;                                              \
      pixel += T * plane.out_step;                                           \
    }
    // 7 divides the widths of ImageNet's nets: 56, 28, 14, 7.
    TILES(Vector::kTile) TILES(7) TILES(4) TILES(2) TILES(1)
#undef TILES
    line_out += static_cast<size_t>(plane.out_width) * plane.out_step;
    sum = Vector::Add(sum, line);
  }
  Vector::Store(total, sum);
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
