#include <vector>

#include "caffe/layers/broadcast_product_layer.hpp"
#include "caffe/util/block_sum.cuh"

namespace caffe {

// A thread an element of out, whose neighbours are neighbours in x and y too.
template <typename Dtype>
__global__ void SumOfRows(const int count, const BroadcastSum walk,
    const Dtype* x, const Dtype* y, Dtype* out) {
  CUDA_KERNEL_LOOP(i, count) {
    const Dtype* x_begin = x + i % walk.row.size * walk.row.x;
    const Dtype* y_begin = y + i % walk.row.size * walk.row.y;
    walk.kept.Move(i / walk.row.size, &x_begin, &y_begin);
    Dtype sum = 0;
    for (int j = 0; j < walk.summed.count; ++j) {
      const Dtype* v = x_begin;
      const Dtype* w = y_begin;
      walk.summed.Move(j, &v, &w);
      sum += *v * *w;
    }
    out[i] = sum;
  }
}

// A block an element of out: its threads read neighbours of x and y.
template <typename Dtype>
__global__ void SumAlongRows(const BroadcastSum walk, const Dtype* x,
    const Dtype* y, Dtype* out) {
  walk.kept.Move(blockIdx.x, &x, &y);
  const int length = walk.row.size;
  Dtype sum = 0;
  for (int i = threadIdx.x; i < walk.summed.count * length; i += blockDim.x) {
    const Dtype* v = x + i % length;
    const Dtype* w = y + i % length;
    walk.summed.Move(i / length, &v, &w);
    sum += *v * *w;
  }
  sum = BlockSum(sum);
  if (threadIdx.x == 0) {
    out[blockIdx.x] = sum;
  }
}

template <typename Dtype>
void BroadcastProductLayer<Dtype>::Forward_gpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = top[0]->count();
  // NOLINT_NEXT_LINE(whitespace/operators)
  SumOfRows<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
      count, product_, bottom[0]->gpu_data(), bottom[1]->gpu_data(),
      top[0]->mutable_gpu_data());
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void BroadcastProductLayer<Dtype>::Backward_gpu(
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom) {
  for (int i = 0; i < 2; ++i) {
    if (!propagate_down[i]) {
      continue;
    }
    const BroadcastSum& walk = gradient_[i];
    const int count = bottom[i]->count();
    const Dtype* diff = top[0]->gpu_diff();
    const Dtype* other = bottom[1 - i]->gpu_data();
    Dtype* result = bottom[i]->mutable_gpu_diff();
    if (walk.row_kept) {
      // NOLINT_NEXT_LINE(whitespace/operators)
      SumOfRows<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
          count, walk, diff, other, result);
    } else {
      const int threads = BlockSumThreads(walk.summed.count * walk.row.size);
      // NOLINT_NEXT_LINE(whitespace/operators)
      SumAlongRows<Dtype><<<count, threads>>>(walk, diff, other, result);
    }
    CUDA_POST_KERNEL_CHECK;
  }
}

INSTANTIATE_LAYER_GPU_FUNCS(BroadcastProductLayer);

}  // namespace caffe
