// Winograd's transforms, for the file of each kind of vectors, which says before what a
// Vector is (vector_avx2.hpp); in an unnamed namespace, as that.
#include "engine/kernels/toom_cook.hpp"
#include "engine/kernels/winograd_kernel.hpp"

namespace {

using caffe::engine::ToomCook;
using caffe::engine::WinogradKernel;
using caffe::engine::WinogradShape;

// How many sums of that many products are found together.
constexpr int OutputsOf(int taps) { return taps == 1 ? 1 : taps == 3 ? 4 : 2; }

template <int R>
struct Axis {
  typedef ToomCook<OutputsOf(R), R> Matrices;
  static const int kOutputs = Matrices::kOutputs, kPoints = Matrices::kPoints;
  static constexpr Matrices kMatrices{};
};

// to = matrix * from, where the matrix is known when this is compiled: what is 0 in it
// costs nothing, nor multiplying by 1.
template <int ROWS, int COLUMNS>
inline __attribute__((always_inline)) void Transform(
    const double (&matrix)[ROWS][COLUMNS], const Vector::V* from, Vector::V* to,
    int to_step) {
#pragma GCC unroll 8
  for (int i = 0; i < ROWS; ++i) {
    Vector::V sum = Vector::Zero();
    bool empty = true;
#pragma GCC unroll 8
    for (int j = 0; j < COLUMNS; ++j) {
      if (matrix[i][j] != 0) {
        const Vector::V product = Vector::Of(matrix[i][j]) * from[j];
        sum = empty ? product : sum + product;
        empty = false;
      }
    }
    to[i * to_step] = sum;
  }
}

struct Place {
  int image, y, x;  // of a window's first output
};

template <int RY, int RX>
struct Winograd {
  typedef Axis<RY> Y;
  typedef Axis<RX> X;

  static Place PlaceOf(const WinogradShape& shape, int window) {
    const int line = window / shape.across;
    return {line / shape.down, line % shape.down * Y::kOutputs,
            window % shape.across * X::kOutputs};
  }

  static void TransformInputs(const WinogradShape& shape, const float* in,
                              const float* zeros, int begin, int end,
                              float* to) {
    const int vectors = shape.inputs / Vector::kLanes;
    for (int window = begin; window < end; ++window) {
      const Place place = PlaceOf(shape, window);
      const float* at[Y::kPoints][X::kPoints];
      for (int i = 0; i < Y::kPoints; ++i) {
        for (int j = 0; j < X::kPoints; ++j) {
          const int y = place.y - shape.pad[0] + i;
          const int x = place.x - shape.pad[1] + j;
          at[i][j] = y < 0 || y >= shape.height || x < 0 || x >= shape.width ?
              zeros : in + ((static_cast<size_t>(place.image) * shape.height +
                             y) * shape.width + x) * shape.inputs;
        }
      }
      float* target = to + static_cast<size_t>(window - begin) * shape.inputs;
      for (int v = 0; v < vectors; ++v) {
        Vector::V half[Y::kPoints][X::kPoints];  // transformed downwards
        for (int j = 0; j < X::kPoints; ++j) {
          Vector::V column[Y::kPoints];
#pragma GCC unroll 8
          for (int i = 0; i < Y::kPoints; ++i) {
            column[i] = Vector::Load(at[i][j] + v * Vector::kLanes);
          }
          Transform(Y::kMatrices.in, column, &half[0][j], X::kPoints);
        }
        for (int i = 0; i < Y::kPoints; ++i) {
          Vector::V line[X::kPoints];
          Transform(X::kMatrices.in, half[i], line, 1);
#pragma GCC unroll 8
          for (int j = 0; j < X::kPoints; ++j) {
            Vector::Store(target + (i * X::kPoints + j) * shape.input_step,
                          line[j]);
          }
        }
        target += Vector::kLanes;
      }
    }
  }

  static void TransformSums(const WinogradShape& shape, const float* sums,
                            int begin, int end, int column, int vectors,
                            const float* bias, float slope,
                            const float* residual, float* out) {
    const Vector::V factor = Vector::Of(slope);
    for (int window = begin; window < end; ++window) {
      const Place place = PlaceOf(shape, window);
      for (int v = 0; v < vectors; ++v, sums += Vector::kLanes) {
        Vector::V half[Y::kOutputs][X::kPoints];
        for (int j = 0; j < X::kPoints; ++j) {
          Vector::V points[Y::kPoints];
#pragma GCC unroll 8
          for (int i = 0; i < Y::kPoints; ++i) {
            points[i] = Vector::Load(sums + (i * X::kPoints + j) *
                                     shape.sum_step);
          }
          Transform(Y::kMatrices.out, points, &half[0][j], X::kPoints);
        }
        const int channel = column + v * Vector::kLanes;
        const Vector::V first = Vector::Load(bias + channel);
        for (int i = 0; i < Y::kOutputs && place.y + i < shape.out_height; ++i) {
          Vector::V line[X::kOutputs];
          Transform(X::kMatrices.out, half[i], line, 1);
          size_t at = ((static_cast<size_t>(place.image) * shape.out_height +
                        place.y + i) * shape.out_width + place.x) *
              shape.outputs + channel;
          for (int j = 0; j < X::kOutputs && place.x + j < shape.out_width;
               ++j, at += shape.outputs) {
            Vector::V sum = Vector::Add(line[j], first);
            if (residual) {
              sum = Vector::Add(sum, Vector::Load(residual + at));
            }
            Vector::Store(out + at, Vector::Relu(sum, factor));
          }
        }
      }
    }
  }

  static constexpr WinogradKernel kKernel = {
      Vector::kLanes, {RY, RX}, {Y::kPoints, X::kPoints},
      {Y::kOutputs, X::kOutputs},
      {Y::kMatrices.kernel[0], X::kMatrices.kernel[0]},
      TransformInputs, TransformSums};
};

const WinogradKernel* FindWinograd(int down, int across) {
  static const WinogradKernel* const kernels[] = {
      &Winograd<3, 3>::kKernel, &Winograd<1, 3>::kKernel,
      &Winograd<3, 1>::kKernel, &Winograd<5, 5>::kKernel,
      &Winograd<1, 7>::kKernel, &Winograd<7, 1>::kKernel};
  for (const WinogradKernel* kernel : kernels) {
    if (kernel->taps[0] == down && kernel->taps[1] == across) {
      return kernel;
    }
  }
  return NULL;
}

}  // namespace
