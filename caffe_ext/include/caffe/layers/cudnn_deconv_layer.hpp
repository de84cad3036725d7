#ifndef CAFFE_CUDNN_DECONV_LAYER_HPP_
#define CAFFE_CUDNN_DECONV_LAYER_HPP_

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/deconv_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/cudnn_convolution.hpp"

namespace caffe {

#ifdef USE_CUDNN
/**
 * @brief DeconvolutionLayer by cuDNN on the GPU.
 *
 * What is not an image, with 2 spatial axes, gets DeconvolutionLayer's own code,
 * and is an error where `engine` asks for CUDNN. So does all in CPU mode.
 */
template <typename Dtype>
class CuDNNDeconvolutionLayer : public DeconvolutionLayer<Dtype> {
 public:
  explicit CuDNNDeconvolutionLayer(const LayerParameter& param)
      : DeconvolutionLayer<Dtype>(param), cudnn_(true) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);

 protected:
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top);
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom);

 private:
  CuDNNConvolution<Dtype> cudnn_;
};
#endif

}  // namespace caffe

#endif  // CAFFE_CUDNN_DECONV_LAYER_HPP_
