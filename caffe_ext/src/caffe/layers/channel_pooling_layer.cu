#include <vector>

#include "caffe/layers/channel_pooling_layer.hpp"

namespace caffe {

// A thread a place: those of a warp read neighbours, channel after channel.
template <typename Dtype>
__global__ void ChannelMax(const int count, const int channels, const int dim,
    const Dtype* x, Dtype* y, int* at) {
  CUDA_KERNEL_LOOP(i, count) {
    const Dtype* place = x + i / dim * channels * dim + i % dim;
    Dtype max = place[0];
    int channel = 0;
    for (int c = 1; c < channels; ++c) {
      const Dtype value = place[c * dim];
      if (value > max || value != value) {
        max = value;
        channel = c;
      }
    }
    y[i] = max;
    at[i] = channel;
  }
}

template <typename Dtype>
__global__ void ChannelMean(const int count, const int channels, const int dim,
    const Dtype* x, Dtype* y) {
  CUDA_KERNEL_LOOP(i, count) {
    const Dtype* place = x + i / dim * channels * dim + i % dim;
    Dtype sum = 0;
    for (int c = 0; c < channels; ++c) {
      sum += place[c * dim];
    }
    y[i] = sum / channels;
  }
}

template <typename Dtype>
__global__ void ChannelMaxBackward(const int count, const int channels,
    const int dim, const Dtype* dy, const int* at, Dtype* dx) {
  CUDA_KERNEL_LOOP(i, count) {
    const int place = i / dim / channels * dim + i % dim;
    dx[i] = at[place] == i / dim % channels ? dy[place] : Dtype(0);
  }
}

template <typename Dtype>
__global__ void ChannelMeanBackward(const int count, const int channels,
    const int dim, const Dtype* dy, Dtype* dx) {
  CUDA_KERNEL_LOOP(i, count) {
    dx[i] = dy[i / dim / channels * dim + i % dim] / channels;
  }
}

template <typename Dtype>
void ChannelPoolingLayer<Dtype>::Forward_gpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = top[0]->count();
  const int channels = bottom[0]->shape(1);
  const int dim = bottom[0]->count(2);
  const Dtype* x = bottom[0]->gpu_data();
  Dtype* y = top[0]->mutable_gpu_data();
  if (max_) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    ChannelMax<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
        count, channels, dim, x, y, max_channel_.mutable_gpu_data());
  } else {
    // NOLINT_NEXT_LINE(whitespace/operators)
    ChannelMean<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
        count, channels, dim, x, y);
  }
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void ChannelPoolingLayer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int count = bottom[0]->count();
  const int channels = bottom[0]->shape(1);
  const int dim = bottom[0]->count(2);
  const Dtype* dy = top[0]->gpu_diff();
  Dtype* dx = bottom[0]->mutable_gpu_diff();
  if (max_) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    ChannelMaxBackward<Dtype><<<CAFFE_GET_BLOCKS(count),
        CAFFE_CUDA_NUM_THREADS>>>(count, channels, dim, dy,
        max_channel_.gpu_data(), dx);
  } else {
    // NOLINT_NEXT_LINE(whitespace/operators)
    ChannelMeanBackward<Dtype><<<CAFFE_GET_BLOCKS(count),
        CAFFE_CUDA_NUM_THREADS>>>(count, channels, dim, dy, dx);
  }
  CUDA_POST_KERNEL_CHECK;
}

INSTANTIATE_LAYER_GPU_FUNCS(ChannelPoolingLayer);

}  // namespace caffe
