#ifndef CAFFE_ONEDNN_CONV_LAYER_HPP_
#define CAFFE_ONEDNN_CONV_LAYER_HPP_

#include <memory>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/layer.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/onednn_convolution.hpp"

namespace caffe {

/// @brief The convolution layer by oneDNN, where `engine` is ONEDNN, or DEFAULT in
///        CPU mode and this build and CPU have it; NULL where it is another engine's.
///        Of a build with cuDNN, CuDNNConvolutionLayer asks for it in CPU mode.
template <typename Dtype>
shared_ptr<Layer<Dtype> > GetOneDNNConvolutionLayer(const LayerParameter& param);

#ifdef USE_ONEDNN
/**
 * @brief ConvolutionLayer of images in single precision by oneDNN, on the CPU.
 *
 * What oneDNN has no kernel for, and a GPU, gets ConvolutionLayer's own code;
 * the former is an error where `engine` asks for ONEDNN.
 */
class OneDNNConvolutionLayer : public ConvolutionLayer<float> {
 public:
  explicit OneDNNConvolutionLayer(const LayerParameter& param)
      : ConvolutionLayer<float>(param), shape_() {}
  virtual void Reshape(const vector<Blob<float>*>& bottom,
      const vector<Blob<float>*>& top);

 protected:
  virtual void Forward_cpu(const vector<Blob<float>*>& bottom,
      const vector<Blob<float>*>& top);
  virtual void Backward_cpu(const vector<Blob<float>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<float>*>& bottom);

 private:
  bool OneDNNRuns() const;

  ConvolutionShape shape_;  // of convolution_
  std::unique_ptr<OneDNNConvolution> convolution_;
};
#endif  // USE_ONEDNN

}  // namespace caffe

#endif  // CAFFE_ONEDNN_CONV_LAYER_HPP_
