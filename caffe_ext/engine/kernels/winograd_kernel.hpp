#ifndef CAFFE_ENGINE_KERNELS_WINOGRAD_KERNEL_HPP_
#define CAFFE_ENGINE_KERNELS_WINOGRAD_KERNEL_HPP_

#include <cstddef>

namespace caffe {
namespace engine {

/// @brief A convolution's activations, in NHWC, and the windows that they are cut into.
struct WinogradShape {
  int inputs, outputs;  // channels
  int height, width, out_height, out_width;
  int pad[2];
  int down, across;  // windows of an image
  // Floats from point to point of transformed inputs, and of sums.
  size_t input_step, sum_step;
};

/// @brief What comes before and after the matrix products, for kernels of `taps`
///        (height, width) and a kind of vectors. `kernel`, [point][tap] of each axis,
///        transforms weights.
struct WinogradKernel {
  int lanes;  // of a vector
  int taps[2], points[2], outputs[2];
  const double* kernel[2];

  /// @brief Windows [begin, end) to [point][window][input]. `zeros`: a position of the
  ///        padding.
  void (*transform_inputs)(const WinogradShape& shape, const float* in,
                           const float* zeros, int begin, int end, float* to);
  /// @brief Their sums, [point][window][output of `vectors`], to outputs, from channel
  ///        `column` on; `bias` and `residual` as of the whole convolution, the latter
  ///        null or as large as `out`, which it may be.
  void (*transform_sums)(const WinogradShape& shape, const float* sums, int begin,
                         int end, int column, int vectors, const float* bias,
                         float slope, const float* residual, float* out);
};

/// @brief For vectors of 8 floats; null where there is none for these taps, or it was
///        not compiled for such a processor.
const WinogradKernel* WinogradAvx2(int down, int across);
/// @brief For 16 floats.
const WinogradKernel* WinogradAvx512(int down, int across);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_WINOGRAD_KERNEL_HPP_
