#ifndef CAFFE_ENGINE_KERNELS_TOOM_COOK_HPP_
#define CAFFE_ENGINE_KERNELS_TOOM_COOK_HPP_

namespace caffe {
namespace engine {

/**
 * @brief The matrices of F(M, R), which finds M sums of R products each with
 *        M + R - 1 multiplications (Winograd, "Arithmetic Complexity of
 *        Computations", 1980; Lavin and Gray, CVPR 2016): of inputs d and a kernel g,
 *
 *            out (kernel g * in d)
 *
 * Polynomials are evaluated at points, the last of which is infinity. Of six, 1, -1, 1/2
 * and -2 beside 0 and infinity are the most exact (Barabasz et al., "Error Analysis and
 * Improving the Accuracy of Winograd Convolution for DNNs", 2020); all entries of `in`
 * are dyadic.
 */
template <int M, int R>
struct ToomCook {
  static const int kOutputs = M, kPoints = M + R - 1;

  constexpr ToomCook() : in(), out(), kernel() {
    constexpr int last = kPoints - 1;
    // The finite ones, of up to six points and of eight.
    constexpr double of_six[] = {0, 1, -1, 0.5, -2};
    constexpr double of_eight[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    const double* point = kPoints > 6 ? of_eight : of_six;
    // Row by row the polynomial whose zeros are the other finite points; at last,
    // all of them.
    for (int row = 0; row <= last; ++row) {
      double polynomial[kPoints] = {1}, scale = 1;
      for (int zero = 0; zero < last; ++zero) {
        if (zero == row) { continue; }
        for (int i = last; i >= 0; --i) {
          polynomial[i] = (i > 0 ? polynomial[i - 1] : 0) -
              point[zero] * polynomial[i];
        }
        if (row < last) { scale *= point[row] - point[zero]; }
      }
      for (int i = 0; i <= last; ++i) { in[row][i] = polynomial[i]; }
      for (int i = 0; i < M; ++i) {
        out[i][row] = row < last ? Power(point[row], i) : i == M - 1;
      }
      for (int i = 0; i < R; ++i) {
        kernel[row][i] = row < last ? Power(point[row], i) / scale : i == R - 1;
      }
    }
  }

  static constexpr double Power(double base, int exponent) {
    double power = 1;
    for (; exponent > 0; --exponent) { power *= base; }
    return power;
  }

  double in[kPoints][kPoints], out[M][kPoints], kernel[kPoints][R];
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_TOOM_COOK_HPP_
