#ifndef CAFFE_UTIL_CUDNN_CONVOLUTION_HPP_
#define CAFFE_UTIL_CUDNN_CONVOLUTION_HPP_
#ifdef USE_CUDNN

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/util/convolution_shape.hpp"

namespace caffe {

/**
 * @brief The passes of a convolution layer, or of a deconvolution layer, over
 *        images by cuDNN: groups and dilation are cuDNN's own.
 *
 * Bottoms and tops: N x C x H x W; params: weights, O x C/groups x H x W, and
 * maybe biases, O. A deconvolution is the convolution from its top to its bottom,
 * which `shape` describes, run backward.
 *
 * All is queued on the current device's default stream, and nobody waits for it
 * but when a shape is new. Then each kind of pass chooses an algorithm: the first
 * of cuDNN's ranking (cudnnGetConvolution*Algorithm_v7) that the workspace
 * suffices for and that runs. It looks at the environment:
 *  - CAFFE_TF32=1: float may be computed as TF32 on Tensor Cores, with 10 bits of
 *    each factor's fraction instead of 23. Otherwise float stays float.
 *  - CAFFE_CUDNN_AUTOTUNE=1: the ranking is measured
 *    (cudnnFindConvolution*AlgorithmEx).
 *  - CAFFE_CUDNN_WORKSPACE=512: how many MiB of workspace (CuDNNContext) an
 *    algorithm may ask for. It makes do with less where the device has no more.
 * Throws an Error where cuDNN has no such algorithm, or fails.
 */
template <typename Dtype>
class CuDNNConvolution {
 public:
  explicit CuDNNConvolution(bool deconvolution)
      : deconvolution_(deconvolution) {}

  void Forward(const ConvolutionShape& shape,
      const vector<Blob<Dtype>*>& bottom,
      const vector<shared_ptr<Blob<Dtype> > >& params,
      const vector<Blob<Dtype>*>& top);
  /// @brief Overwrites the bottoms' diffs, and adds to the params'.
  void Backward(const ConvolutionShape& shape,
      const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
      const vector<Blob<Dtype>*>& bottom,
      const vector<shared_ptr<Blob<Dtype> > >& params,
      const vector<bool>& param_propagate_down);

 private:
  class Plan;  // for one shape
  Plan& PlanFor(const ConvolutionShape& shape);

  const bool deconvolution_;
  shared_ptr<Plan> plan_;
};

}  // namespace caffe

#endif  // USE_CUDNN
#endif  // CAFFE_UTIL_CUDNN_CONVOLUTION_HPP_
