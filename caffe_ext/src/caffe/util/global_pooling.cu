#include "caffe/common.hpp"
#include "caffe/util/block_sum.cuh"
#include "caffe/util/global_pooling.hpp"

namespace caffe {

// One block a plane, where Caffe's AvePoolForward has one thread.
template <typename Dtype>
__global__ void GlobalAveragePool(const int area, const Dtype* x, Dtype* y) {
  const Dtype* plane = x + blockIdx.x * area;
  Dtype sum = 0;
  for (int i = threadIdx.x; i < area; i += blockDim.x) {
    sum += plane[i];
  }
  sum = BlockSum(sum);
  if (threadIdx.x == 0) {
    y[blockIdx.x] = sum / area;
  }
}

template <typename Dtype>
__global__ void GlobalAveragePoolBackward(const int count, const int area,
    const Dtype* dy, Dtype* dx) {
  CUDA_KERNEL_LOOP(i, count) {
    dx[i] = dy[i / area] / area;
  }
}

template <typename Dtype>
void global_average_pool_gpu(const int planes, const int area, const Dtype* x,
    Dtype* y) {
  // NOLINT_NEXT_LINE(whitespace/operators)
  GlobalAveragePool<Dtype><<<planes, BlockSumThreads(area)>>>(area, x, y);
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void global_average_pool_backward_gpu(const int planes, const int area,
    const Dtype* dy, Dtype* dx) {
  const int count = planes * area;
  GlobalAveragePoolBackward<Dtype>
      // NOLINT_NEXT_LINE(whitespace/operators)
      <<<CAFFE_GET_BLOCKS(count), CAFFE_CUDA_NUM_THREADS>>>(
      count, area, dy, dx);
  CUDA_POST_KERNEL_CHECK;
}

template void global_average_pool_gpu(int, int, const float*, float*);
template void global_average_pool_gpu(int, int, const double*, double*);
template void global_average_pool_backward_gpu(int, int, const float*, float*);
template void global_average_pool_backward_gpu(int, int, const double*,
    double*);

}  // namespace caffe
