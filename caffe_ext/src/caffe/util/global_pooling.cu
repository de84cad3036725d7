#include "caffe/common.hpp"
#include "caffe/util/global_pooling.hpp"
#include "caffe/util/planes.cuh"

namespace caffe {

// Caffe's AvePoolForward gives a plane to one thread.
template <typename Dtype>
__global__ void GlobalAveragePool(const int planes, const int area,
    const Dtype* x, Dtype* y) {
  const int plane = ThreadPlane();
  if (plane >= planes) { return; }
  x += plane * area;
  Dtype sum = 0;
#pragma unroll 4
  for (int i = threadIdx.x; i < area; i += blockDim.x) {
    sum += x[i];
  }
  sum = PlaneSum(sum);
  if (threadIdx.x == 0) {
    y[plane] = sum / area;
  }
}

template <typename Dtype>
__global__ void GlobalAveragePoolBackward(const int planes, const int area,
    const Dtype* dy, Dtype* dx) {
  const int plane = ThreadPlane();
  if (plane >= planes) { return; }
  const Dtype share = dy[plane] / area;
  WritePlane(area, dx + plane * area, [=](int) { return share; });
}

template <typename Dtype>
void global_average_pool_gpu(const int planes, const int area, const Dtype* x,
    Dtype* y) {
  // NOLINT_NEXT_LINE(whitespace/operators)
  GlobalAveragePool<Dtype><<<PlaneBlocks(planes, area), PlaneThreads(area)>>>(
      planes, area, x, y);
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void global_average_pool_backward_gpu(const int planes, const int area,
    const Dtype* dy, Dtype* dx) {
  GlobalAveragePoolBackward<Dtype>
      // NOLINT_NEXT_LINE(whitespace/operators)
      <<<WritePlaneBlocks(planes, area), PlaneThreads(area)>>>(
      planes, area, dy, dx);
  CUDA_POST_KERNEL_CHECK;
}

template void global_average_pool_gpu(int, int, const float*, float*);
template void global_average_pool_gpu(int, int, const double*, double*);
template void global_average_pool_backward_gpu(int, int, const float*, float*);
template void global_average_pool_backward_gpu(int, int, const double*,
    double*);

}  // namespace caffe
