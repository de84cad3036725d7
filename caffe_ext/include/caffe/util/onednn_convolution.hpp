#ifndef CAFFE_UTIL_ONEDNN_CONVOLUTION_HPP_
#define CAFFE_UTIL_ONEDNN_CONVOLUTION_HPP_

#include <memory>

#include "caffe/util/convolution_shape.hpp"

namespace caffe {

/**
 * @brief A convolution of one shape, and its gradients, by oneDNN.
 *
 * Arrays are Caffe's: N x C x H x W, weights O x C/groups x H x W. They are copied
 * to and from the layouts that oneDNN's kernels want, in memory that belongs to the
 * thread, not to the convolution. Two things are brought into a form that oneDNN has
 * fast kernels for: groups of fewer channels than a vector has numbers, where several
 * become one with zeros between them (so that a value that is not finite reaches the
 * others' outputs, too); and dilation, where every d-th row and column become an
 * image of their own.
 */
class OneDNNConvolution {
 public:
  /// @brief NULL where oneDNN has no kernel but its reference.
  static std::unique_ptr<OneDNNConvolution> Make(const ConvolutionShape& shape,
                                                 bool bias);
  virtual ~OneDNNConvolution() {}

  /// @brief y = x * w + b; b is not looked at where there is no bias.
  virtual void Forward(const float* x, const float* w, const float* b,
                       float* y) = 0;
  /// @brief dx = the gradient with respect to x.
  virtual void BackwardData(const float* dy, const float* w, float* dx) = 0;
  /// @brief dw += the gradient with respect to w; db likewise, unless NULL.
  virtual void BackwardWeights(const float* x, const float* dy, float* dw,
                               float* db) = 0;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_ONEDNN_CONVOLUTION_HPP_
