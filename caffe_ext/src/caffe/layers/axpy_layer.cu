#include <vector>

#include "caffe/layers/axpy_layer.hpp"
#include "caffe/util/block_sum.cuh"
#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
__global__ void AxpyForward(const int count, const int dim, const Dtype* a,
    const Dtype* x, const Dtype* y, Dtype* f) {
  CUDA_KERNEL_LOOP(i, count) {
    f[i] = a[i / dim] * x[i] + y[i];
  }
}

// One block a channel of an image.
template <typename Dtype>
__global__ void AxpyBackwardScale(const int dim, const Dtype* x,
    const Dtype* df, Dtype* da) {
  const int begin = blockIdx.x * dim;
  Dtype sum = 0;
  for (int i = threadIdx.x; i < dim; i += blockDim.x) {
    sum += df[begin + i] * x[begin + i];
  }
  sum = BlockSum(sum);
  if (threadIdx.x == 0) {
    da[blockIdx.x] = sum;
  }
}

template <typename Dtype>
__global__ void AxpyBackwardX(const int count, const int dim, const Dtype* a,
    const Dtype* df, Dtype* dx) {
  CUDA_KERNEL_LOOP(i, count) {
    dx[i] = a[i / dim] * df[i];
  }
}

template <typename Dtype>
void AxpyLayer<Dtype>::Forward_gpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int count = top[0]->count();
  // NOLINT_NEXT_LINE(whitespace/operators)
  AxpyForward<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
      count, bottom[1]->count(2), bottom[0]->gpu_data(), bottom[1]->gpu_data(),
      bottom[2]->gpu_data(), top[0]->mutable_gpu_data());
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void AxpyLayer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  const int count = top[0]->count();
  const int dim = bottom[1]->count(2);
  const Dtype* df = top[0]->gpu_diff();
  if (propagate_down[0]) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    AxpyBackwardScale<Dtype><<<bottom[0]->count(), BlockSumThreads(dim)>>>(
        dim, bottom[1]->gpu_data(), df, bottom[0]->mutable_gpu_diff());
    CUDA_POST_KERNEL_CHECK;
  }
  if (propagate_down[1]) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    AxpyBackwardX<Dtype><<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
        count, dim, bottom[0]->gpu_data(), df, bottom[1]->mutable_gpu_diff());
    CUDA_POST_KERNEL_CHECK;
  }
  if (propagate_down[2]) {
    caffe_copy(count, df, bottom[2]->mutable_gpu_diff());
  }
}

INSTANTIATE_LAYER_GPU_FUNCS(AxpyLayer);

}  // namespace caffe
