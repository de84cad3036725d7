#include <vector>

#include "caffe/layers/depthwise_conv_layer.hpp"
#include "caffe/util/block_sum.cuh"
#include "caffe/util/math_functions.hpp"

namespace caffe {

// A thread an output, or a block where the kernel is large, as where GENet
// gathers a whole plane.
template <typename Dtype, bool kBlockPerOutput>
__global__ void DepthwiseForward(const int count, const DepthwiseShape s,
    const Dtype* x, const Dtype* weight, const Dtype* bias, Dtype* y) {
  const int taps = s.kernel_h * s.kernel_w;
  const int index = kBlockPerOutput ? blockIdx.x :
      blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= count) { return; }
  const int ow = index % s.out_width;
  const int oh = index / s.out_width % s.out_height;
  const int plane = index / s.out_width / s.out_height;
  const int o = plane % (s.channels * s.multiplier);
  x += plane / s.multiplier * s.height * s.width;
  weight += o * taps;
  Dtype sum = 0;
  for (int tap = kBlockPerOutput ? threadIdx.x : 0; tap < taps;
       tap += kBlockPerOutput ? blockDim.x : 1) {
    const int h = oh * s.stride_h - s.pad_h + tap / s.kernel_w * s.dilation_h;
    const int w = ow * s.stride_w - s.pad_w + tap % s.kernel_w * s.dilation_w;
    if (h >= 0 && h < s.height && w >= 0 && w < s.width) {
      sum += weight[tap] * x[h * s.width + w];
    }
  }
  if (kBlockPerOutput) {
    sum = BlockSum(sum);
  }
  if (!kBlockPerOutput || threadIdx.x == 0) {
    y[index] = sum + (bias ? bias[o] : Dtype(0));
  }
}

template <typename Dtype>
__global__ void DepthwiseBackwardInput(const int count, const DepthwiseShape s,
    const Dtype* dy, const Dtype* weight, Dtype* dx) {
  CUDA_KERNEL_LOOP(index, count) {
    const int w = index % s.width + s.pad_w;
    const int h = index / s.width % s.height + s.pad_h;
    const int plane = index / s.width / s.height;
    // The outputs whose kernel reaches this input.
    const int reach_h = (s.kernel_h - 1) * s.dilation_h;
    const int reach_w = (s.kernel_w - 1) * s.dilation_w;
    const int oh_begin = h <= reach_h ? 0 : (h - reach_h - 1) / s.stride_h + 1;
    const int ow_begin = w <= reach_w ? 0 : (w - reach_w - 1) / s.stride_w + 1;
    const int oh_end = min(h / s.stride_h + 1, s.out_height);
    const int ow_end = min(w / s.stride_w + 1, s.out_width);
    Dtype sum = 0;
    for (int m = 0; m < s.multiplier; ++m) {
      const int out = plane * s.multiplier + m;
      const Dtype* diff = dy + out * s.out_height * s.out_width;
      const Dtype* kernel = weight
          + out % (s.channels * s.multiplier) * s.kernel_h * s.kernel_w;
      for (int oh = oh_begin; oh < oh_end; ++oh) {
        const int down = h - oh * s.stride_h;
        if (down % s.dilation_h) { continue; }
        for (int ow = ow_begin; ow < ow_end; ++ow) {
          const int right = w - ow * s.stride_w;
          if (right % s.dilation_w) { continue; }
          sum += diff[oh * s.out_width + ow] * kernel[
              down / s.dilation_h * s.kernel_w + right / s.dilation_w];
        }
      }
    }
    dx[index] = sum;
  }
}

// One block a kernel point of an output channel.
template <typename Dtype>
__global__ void DepthwiseBackwardWeight(const DepthwiseShape s, const Dtype* x,
    const Dtype* dy, Dtype* dweight) {
  const int taps = s.kernel_h * s.kernel_w;
  const int o = blockIdx.x / taps;
  const int tap = blockIdx.x % taps;
  const int outputs = s.channels * s.multiplier;
  const int out_dim = s.out_height * s.out_width;
  const int down = tap / s.kernel_w * s.dilation_h - s.pad_h;
  const int right = tap % s.kernel_w * s.dilation_w - s.pad_w;
  Dtype sum = 0;
  for (int i = threadIdx.x; i < s.num * out_dim; i += blockDim.x) {
    const int plane = i / out_dim * outputs + o;
    const int at = i % out_dim;
    const int h = at / s.out_width * s.stride_h + down;
    const int w = at % s.out_width * s.stride_w + right;
    if (h >= 0 && h < s.height && w >= 0 && w < s.width) {
      sum += dy[plane * out_dim + at]
          * x[(plane / s.multiplier * s.height + h) * s.width + w];
    }
  }
  sum = BlockSum(sum);
  if (threadIdx.x == 0) {
    dweight[blockIdx.x] += sum;
  }
}

// One block an output channel.
template <typename Dtype>
__global__ void DepthwiseBackwardBias(const int num, const int outputs,
    const int out_dim, const Dtype* dy, Dtype* dbias) {
  Dtype sum = 0;
  for (int i = threadIdx.x; i < num * out_dim; i += blockDim.x) {
    sum += dy[(i / out_dim * outputs + blockIdx.x) * out_dim + i % out_dim];
  }
  sum = BlockSum(sum);
  if (threadIdx.x == 0) {
    dbias[blockIdx.x] += sum;
  }
}

template <typename Dtype>
void DepthwiseConvolutionLayer<Dtype>::Forward_gpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const DepthwiseShape s = GetShape();
  const int taps = s.kernel_h * s.kernel_w;
  const Dtype* weight = this->blobs_[0]->gpu_data();
  const Dtype* bias = this->bias_term_ ? this->blobs_[1]->gpu_data() : NULL;
  for (size_t i = 0; i < bottom.size(); ++i) {
    const int count = top[i]->count();
    const Dtype* x = bottom[i]->gpu_data();
    Dtype* y = top[i]->mutable_gpu_data();
    if (taps >= 128) {
      DepthwiseForward<Dtype, true>
          // NOLINT_NEXT_LINE(whitespace/operators)
          <<<count, BlockSumThreads(taps)>>>(count, s, x, weight, bias, y);
    } else {
      DepthwiseForward<Dtype, false>
          // NOLINT_NEXT_LINE(whitespace/operators)
          <<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
          count, s, x, weight, bias, y);
    }
    CUDA_POST_KERNEL_CHECK;
  }
}

template <typename Dtype>
void DepthwiseConvolutionLayer<Dtype>::Backward_gpu(
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom) {
  const DepthwiseShape s = GetShape();
  const int outputs = s.channels * s.multiplier;
  const int out_dim = s.out_height * s.out_width;
  const int threads = BlockSumThreads(s.num * out_dim);
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* dy = top[i]->gpu_diff();
    if (this->bias_term_ && this->param_propagate_down_[1]) {
      // NOLINT_NEXT_LINE(whitespace/operators)
      DepthwiseBackwardBias<Dtype><<<outputs, threads>>>(
          s.num, outputs, out_dim, dy, this->blobs_[1]->mutable_gpu_diff());
      CUDA_POST_KERNEL_CHECK;
    }
    if (this->param_propagate_down_[0]) {
      // NOLINT_NEXT_LINE(whitespace/operators)
      DepthwiseBackwardWeight<Dtype><<<this->blobs_[0]->count(), threads>>>(
          s, bottom[i]->gpu_data(), dy, this->blobs_[0]->mutable_gpu_diff());
      CUDA_POST_KERNEL_CHECK;
    }
    if (propagate_down[i]) {
      const int count = bottom[i]->count();
      DepthwiseBackwardInput<Dtype>
          // NOLINT_NEXT_LINE(whitespace/operators)
          <<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
          count, s, dy, this->blobs_[0]->gpu_data(),
          bottom[i]->mutable_gpu_diff());
      CUDA_POST_KERNEL_CHECK;
    }
  }
}

INSTANTIATE_LAYER_GPU_FUNCS(DepthwiseConvolutionLayer);

}  // namespace caffe
