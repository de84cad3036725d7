#include <algorithm>
#include <vector>

#include "caffe/layers/channel_pooling_layer.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {

template <typename Dtype>
void ChannelPoolingLayer<Dtype>::LayerSetUp(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const PoolingParameter_PoolMethod pool =
      this->layer_param_.pooling_param().pool();
  CHECK(pool == PoolingParameter_PoolMethod_MAX ||
        pool == PoolingParameter_PoolMethod_AVE) << "ChannelPooling layer '"
      << this->layer_param_.name() << "': pool is "
      << PoolingParameter_PoolMethod_Name(pool) << ", expected MAX or AVE";
  max_ = pool == PoolingParameter_PoolMethod_MAX;
}

template <typename Dtype>
void ChannelPoolingLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const string& name = this->layer_param_.name();
  vector<int> shape = bottom[0]->shape();
  CHECK(shape.size() >= 2 && shape[1] > 0) << "ChannelPooling layer '" << name
      << "': the bottom is " << bottom[0]->shape_string()
      << ", expected N x C x ...";
  CHECK(top[0] != bottom[0]) << "ChannelPooling layer '" << name
      << "': cannot be computed in place, since the top has one channel";
  shape[1] = 1;
  top[0]->Reshape(shape);
  if (max_) {
    max_channel_.Reshape(shape);
  }
}

template <typename Dtype>
void ChannelPoolingLayer<Dtype>::Forward_cpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int channels = bottom[0]->shape(1);
  const int dim = bottom[0]->count(2);
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  int* at = max_ ? max_channel_.mutable_cpu_data() : NULL;
  // So many places at a time that their results stay in the fastest cache.
  const int kPlaces = 512;
  const int parts = (dim + kPlaces - 1) / kPlaces;
  ParallelFor(top[0]->shape(0) * parts, channels * std::min(dim, kPlaces),
      [=](int i) {
    const int begin = i % parts * kPlaces;
    const int places = std::min(kPlaces, dim - begin);
    const Dtype* row = x + i / parts * channels * dim + begin;
    Dtype* result = y + i / parts * dim + begin;
    std::copy(row, row + places, result);
    if (at) {
      int* channel = at + i / parts * dim + begin;
      std::fill(channel, channel + places, 0);
      for (int c = 1; c < channels; ++c) {
        row += dim;
        // Two loops: compilers vectorise each choice, but not both at once. NaN
        // wins, as in Pooling.
        CAFFE_SIMD
        for (int p = 0; p < places; ++p) {
          channel[p] = row[p] > result[p] || row[p] != row[p] ? c : channel[p];
        }
        CAFFE_SIMD
        for (int p = 0; p < places; ++p) {
          result[p] = row[p] > result[p] || row[p] != row[p] ? row[p] : result[p];
        }
      }
    } else {
      for (int c = 1; c < channels; ++c) {
        row += dim;
        CAFFE_SIMD
        for (int p = 0; p < places; ++p) {
          result[p] += row[p];
        }
      }
      CAFFE_SIMD
      for (int p = 0; p < places; ++p) {
        result[p] /= channels;
      }
    }
  });
}

template <typename Dtype>
void ChannelPoolingLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int channels = bottom[0]->shape(1);
  const int dim = bottom[0]->count(2);
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const int* at = max_ ? max_channel_.cpu_data() : NULL;
  ParallelFor(bottom[0]->shape(0) * channels, dim, [=](int i) {
    const int c = i % channels;
    const int begin = i / channels * dim;
    const Dtype* diff = dy + begin;
    Dtype* result = dx + i * dim;
    if (at) {
      const int* channel = at + begin;
      CAFFE_SIMD
      for (int p = 0; p < dim; ++p) {
        result[p] = channel[p] == c ? diff[p] : Dtype(0);
      }
    } else {
      CAFFE_SIMD
      for (int p = 0; p < dim; ++p) {
        result[p] = diff[p] / channels;
      }
    }
  });
}

#ifdef CPU_ONLY
STUB_GPU(ChannelPoolingLayer);
#endif

INSTANTIATE_CLASS(ChannelPoolingLayer);
REGISTER_LAYER_CLASS(ChannelPooling);

}  // namespace caffe
