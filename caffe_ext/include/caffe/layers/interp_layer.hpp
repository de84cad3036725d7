#ifndef CAFFE_INTERP_LAYER_HPP_
#define CAFFE_INTERP_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/**
 * @brief Bilinear resizing that keeps the corners (DeepLab's Interp layer; Wang
 *        et al., Residual Attention Network, 2017).
 *
 * Of n outputs along an axis of m inputs, output i lies at input
 * @f$ i (m-1)/(n-1) @f$, and at input 0 if n is 1.
 *
 * bottom: X, N x C x H x W; optionally a blob of four axes, to whose height and
 * width X is resized: its values do not matter, and their gradient is 0.
 * top: N x C x H' x W'. With one bottom, interp_param tells the size: height
 * and width, or @f$ H' = \lfloor (H-1)/shrink\_factor \rfloor zoom\_factor + 1
 * @f$ and W' likewise.
 */
template <typename Dtype>
class InterpLayer : public Layer<Dtype> {
 public:
  explicit InterpLayer(const LayerParameter& param) : Layer<Dtype>(param) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

  virtual inline const char* type() const { return "Interp"; }
  virtual inline int MinBottomBlobs() const { return 1; }
  virtual inline int MaxBottomBlobs() const { return 2; }
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

  /// Height or width: which inputs make which output. Tables, so that CPU and
  /// GPU have the same numbers, and the GPU nothing to divide.
  struct Axis {
    int in = 0, out = 0;
    /// Output i is (1 - weight[i]) input[low[i]] + weight[i] input[low[i] + 1];
    /// where there is no such second input, its weight is 0.
    Blob<int> low;
    Blob<Dtype> weight;
    /// first[k]: the first output whose low is k or more, for k = 0 ... in.
    Blob<int> first;

    void Resize(int new_in, int new_out);
  };

  Axis rows_, columns_;
};

}  // namespace caffe

#endif  // CAFFE_INTERP_LAYER_HPP_
