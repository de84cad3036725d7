#ifndef CAFFE_BROADCAST_PRODUCT_LAYER_HPP_
#define CAFFE_BROADCAST_PRODUCT_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/broadcast_sum.hpp"

namespace caffe {

/**
 * @brief The product of two blobs by NumPy's rule: @f$ C = A B @f$, an axis of
 *        size 1 being repeated to the other's size.
 *
 * bottom: A, B, of equally many axes; each axis has one size in both, or is 1
 * in one of them. So N x C x H x W times N x 1 x H x W is a spatial gate, and
 * N x C x 1 x 1 times N x 1 x H x W joins a gate of channels and one of places.
 * top: C, with the larger size of each axis.
 *
 * @f$ dA = \sum dC\,B,\; dB = \sum dC\,A @f$ over the axes that were repeated.
 */
template <typename Dtype>
class BroadcastProductLayer : public Layer<Dtype> {
 public:
  explicit BroadcastProductLayer(const LayerParameter& param)
      : Layer<Dtype>(param) {}
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "BroadcastProduct"; }
  virtual inline int ExactNumBottomBlobs() const { return 2; }
  virtual inline int ExactNumTopBlobs() const { return 1; }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);

  BroadcastSum product_;
  /// Of A, then of B: x is dC, y the other bottom.
  BroadcastSum gradient_[2];
};

}  // namespace caffe

#endif  // CAFFE_BROADCAST_PRODUCT_LAYER_HPP_
