#include <vector>

#include "caffe/layers/interp_layer.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

// A thread an output.
template <typename Dtype>
__global__ void InterpForward(const int count, const int in_h, const int in_w,
    const int out_h, const int out_w, const int* low_h, const int* low_w,
    const Dtype* weight_h, const Dtype* weight_w, const Dtype* x, Dtype* y) {
  CUDA_KERNEL_LOOP(i, count) {
    const int column = i % out_w;
    const int row = i / out_w % out_h;
    const int left = low_w[column];
    const int right = min(left + 1, in_w - 1);
    const Dtype* low = x + (i / out_w / out_h * in_h + low_h[row]) * in_w;
    const Dtype* high = low_h[row] + 1 < in_h ? low + in_w : low;
    const Dtype w = weight_w[column];
    y[i] = (1 - weight_h[row]) * ((1 - w) * low[left] + w * low[right])
         + weight_h[row] * ((1 - w) * high[left] + w * high[right]);
  }
}

// The weight of input k in output i: it may be the low or the high one.
template <typename Dtype>
__device__ Dtype WeightOf(const int k, const int i, const int* low,
    const Dtype* weight) {
  return low[i] == k ? 1 - weight[i] : weight[i];
}

// A thread an input, which gathers from the outputs that it had a part in: in
// the same order each time, as atomic additions would not.
template <typename Dtype>
__global__ void InterpBackward(const int count, const int in_h, const int in_w,
    const int out_h, const int out_w, const int* low_h, const int* low_w,
    const Dtype* weight_h, const Dtype* weight_w, const int* first_h,
    const int* first_w, const Dtype* dy, Dtype* dx) {
  CUDA_KERNEL_LOOP(i, count) {
    const int column = i % in_w;
    const int row = i / in_w % in_h;
    const Dtype* plane = dy + i / in_w / in_h * out_h * out_w;
    Dtype sum = 0;
    for (int h = first_h[max(row - 1, 0)]; h < first_h[row + 1]; ++h) {
      Dtype row_sum = 0;
      for (int w = first_w[max(column - 1, 0)]; w < first_w[column + 1]; ++w) {
        row_sum += WeightOf(column, w, low_w, weight_w) * plane[h * out_w + w];
      }
      sum += WeightOf(row, h, low_h, weight_h) * row_sum;
    }
    dx[i] = sum;
  }
}

template <typename Dtype>
void InterpLayer<Dtype>::Forward_gpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int count = top[0]->count();
  // NOLINT_NEXT_LINE(whitespace/operators)
  InterpForward<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
      count, rows_.in, columns_.in, rows_.out, columns_.out,
      rows_.low.gpu_data(), columns_.low.gpu_data(), rows_.weight.gpu_data(),
      columns_.weight.gpu_data(), bottom[0]->gpu_data(),
      top[0]->mutable_gpu_data());
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void InterpLayer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  if (bottom.size() == 2 && propagate_down[1]) {
    caffe_gpu_set(bottom[1]->count(), Dtype(0), bottom[1]->mutable_gpu_diff());
  }
  if (!propagate_down[0]) {
    return;
  }
  const int count = bottom[0]->count();
  // NOLINT_NEXT_LINE(whitespace/operators)
  InterpBackward<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
      count, rows_.in, columns_.in, rows_.out, columns_.out,
      rows_.low.gpu_data(), columns_.low.gpu_data(), rows_.weight.gpu_data(),
      columns_.weight.gpu_data(), rows_.first.gpu_data(),
      columns_.first.gpu_data(), top[0]->gpu_diff(),
      bottom[0]->mutable_gpu_diff());
  CUDA_POST_KERNEL_CHECK;
}

INSTANTIATE_LAYER_GPU_FUNCS(InterpLayer);

}  // namespace caffe
