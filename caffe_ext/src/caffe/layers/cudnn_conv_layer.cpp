#ifdef USE_CUDNN
#include <vector>

#include "caffe/layers/cudnn_conv_layer.hpp"
#include "caffe/layers/onednn_conv_layer.hpp"

namespace caffe {

template <typename Dtype>
void CuDNNConvolutionLayer<Dtype>::LayerSetUp(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  ConvolutionLayer<Dtype>::LayerSetUp(bottom, top);
  CHECK(this->num_spatial_axes_ == 2
        || this->layer_param_.convolution_param().engine()
           != ConvolutionParameter_Engine_CUDNN)
      << "CuDNNConvolution input must have 2 spatial axes "
      << "(e.g., height and width). "
      << "Use 'engine: CAFFE' for general ND convolution.";
}

template <typename Dtype>
Layer<Dtype>* CuDNNConvolutionLayer<Dtype>::OneDNN(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (!onednn_) {
    onednn_ = GetOneDNNConvolutionLayer<Dtype>(this->layer_param_);
    if (!onednn_) { return NULL; }
    onednn_->blobs() = this->blobs_;
    onednn_->LayerSetUp(bottom, top);
  }
  onednn_->blobs() = this->blobs_;
  for (size_t i = 0; i < this->blobs_.size(); ++i) {
    onednn_->set_param_propagate_down(i, this->param_propagate_down_[i]);
  }
  return onednn_.get();
}

template <typename Dtype>
void CuDNNConvolutionLayer<Dtype>::Forward_cpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (Layer<Dtype>* onednn = OneDNN(bottom, top)) {
    onednn->Forward(bottom, top);
  } else {
    ConvolutionLayer<Dtype>::Forward_cpu(bottom, top);
  }
}

template <typename Dtype>
void CuDNNConvolutionLayer<Dtype>::Backward_cpu(
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom) {
  if (Layer<Dtype>* onednn = OneDNN(bottom, top)) {
    onednn->Reshape(bottom, top);
    onednn->Backward(top, propagate_down, bottom);
  } else {
    ConvolutionLayer<Dtype>::Backward_cpu(top, propagate_down, bottom);
  }
}

INSTANTIATE_CLASS(CuDNNConvolutionLayer);

}  // namespace caffe
#endif
