#ifndef CAFFE_CUDNN_CONV_LAYER_HPP_
#define CAFFE_CUDNN_CONV_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/cudnn_convolution.hpp"

namespace caffe {

#ifdef USE_CUDNN
/**
 * @brief ConvolutionLayer by cuDNN on the GPU; in CPU mode as without cuDNN, that
 *        is, by oneDNN where it can be had and `engine` is DEFAULT.
 *
 * What is not an image, with 2 spatial axes, gets ConvolutionLayer's own code,
 * and is an error where `engine` asks for CUDNN.
 */
template <typename Dtype>
class CuDNNConvolutionLayer : public ConvolutionLayer<Dtype> {
 public:
  explicit CuDNNConvolutionLayer(const LayerParameter& param)
      : ConvolutionLayer<Dtype>(param), cudnn_(false) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);

 private:
  /// @brief The layer by oneDNN, with this layer's parameters; or NULL.
  Layer<Dtype>* OneDNN(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

  CuDNNConvolution<Dtype> cudnn_;
  shared_ptr<Layer<Dtype> > onednn_;
};
#endif

}  // namespace caffe

#endif  // CAFFE_CUDNN_CONV_LAYER_HPP_
