#ifdef USE_CUDNN
#include <vector>

#include "caffe/layers/cudnn_deconv_layer.hpp"

namespace caffe {

template <typename Dtype>
void CuDNNDeconvolutionLayer<Dtype>::LayerSetUp(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  DeconvolutionLayer<Dtype>::LayerSetUp(bottom, top);
  CHECK(this->num_spatial_axes_ == 2
        || this->layer_param_.convolution_param().engine()
           != ConvolutionParameter_Engine_CUDNN)
      << "CuDNNDeconvolution input must have 2 spatial axes "
      << "(e.g., height and width). "
      << "Use 'engine: CAFFE' for general ND deconvolution.";
}

INSTANTIATE_CLASS(CuDNNDeconvolutionLayer);

}  // namespace caffe
#endif
