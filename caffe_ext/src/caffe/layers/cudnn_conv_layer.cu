#ifdef USE_CUDNN
#include <vector>

#include "caffe/layers/cudnn_conv_layer.hpp"

namespace caffe {

template <typename Dtype>
void CuDNNConvolutionLayer<Dtype>::Forward_gpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (this->num_spatial_axes_ != 2 || top[0]->count() == 0) {
    ConvolutionLayer<Dtype>::Forward_gpu(bottom, top);
    return;
  }
  cudnn_.Forward(this->convolution_shape(), bottom, this->blobs_, top);
}

template <typename Dtype>
void CuDNNConvolutionLayer<Dtype>::Backward_gpu(
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom) {
  if (this->num_spatial_axes_ != 2 || top[0]->count() == 0) {
    ConvolutionLayer<Dtype>::Backward_gpu(top, propagate_down, bottom);
    return;
  }
  cudnn_.Backward(this->convolution_shape(), top, propagate_down, bottom,
      this->blobs_, this->param_propagate_down_);
}

INSTANTIATE_LAYER_GPU_FUNCS(CuDNNConvolutionLayer);

}  // namespace caffe
#endif
