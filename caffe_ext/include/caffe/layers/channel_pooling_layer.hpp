#ifndef CAFFE_CHANNEL_POOLING_LAYER_HPP_
#define CAFFE_CHANNEL_POOLING_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief The maximum or the mean over the channels, place by place (Woo et al.,
 *        CBAM, 2018: what its spatial attention looks at).
 *
 * pooling_param { pool: MAX or AVE }; its other fields have no meaning here.
 *
 * bottom: N x C x any number of axes. top: N x 1 x the same axes.
 *
 * The maximum's gradient goes to the first channel that has it.
 */
template <typename Dtype>
class ChannelPoolingLayer : public Layer<Dtype> {
 public:
  explicit ChannelPoolingLayer(const LayerParameter& param)
      : Layer<Dtype>(param) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "ChannelPooling"; }
  virtual inline int ExactNumBottomBlobs() const { return 1; }
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

  bool max_;
  /// The channel of each maximum, in the top's shape.
  Blob<int> max_channel_;
};

}  // namespace caffe

#endif  // CAFFE_CHANNEL_POOLING_LAYER_HPP_
