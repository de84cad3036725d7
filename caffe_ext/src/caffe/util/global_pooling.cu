#include "caffe/common.hpp"
#include "caffe/util/global_pooling.hpp"
#include "caffe/util/planes.cuh"

namespace caffe {

// Caffe's AvePoolForward gives a plane to one thread.
template <int kSize, typename Dtype>
__global__ void GlobalAveragePool(const int planes, const int area,
    const Dtype* x, Dtype* y) {
  typedef Pack<Dtype, kSize> Values;
  const int plane = ThreadPlane();
  if (plane >= planes) { return; }
  const Values* values = reinterpret_cast<const Values*>(x + plane * area);
  Dtype sum = 0;
#pragma unroll 8
  for (int i = threadIdx.x; i < area / kSize; i += blockDim.x) {
    const Values some = values[i];
#pragma unroll
    for (int k = 0; k < kSize; ++k) { sum += some.v[k]; }
  }
  sum = PlaneSum(sum);
  if (threadIdx.x == 0) {
    y[plane] = sum / area;
  }
}

template <typename Dtype>
__global__ void GlobalAveragePoolSmall(const SmallPlanes<Dtype> planes,
    const int area, const Dtype* x, Dtype* y) {
  planes.Sum(
      [=](unsigned begin, unsigned count) {
        return LoadPack<PackSize<Dtype>::value>(x, begin, count);
      },
      [=](int plane, Dtype sum) { y[plane] = sum / area; });
}

template <typename Dtype>
struct ShareOfPlane {
  struct Function {
    Dtype share;
    __device__ Dtype operator()(Dtype, Dtype) const { return share; }
  };
  const Dtype* dy;
  const Dtype part;  // 1 / area: a thread need not divide
  __device__ Function operator()(int plane) const { return {dy[plane] * part}; }
};

template <typename Dtype>
void global_average_pool_gpu(const int planes, const int area, const Dtype* x,
    Dtype* y) {
  if (planes == 0) { return; }
  const int kSize = PackSize<Dtype>::value;
  const dim3 threads = PlaneThreads(planes, area);
  const int blocks = PlaneBlocks(planes, threads);
  if (SmallPlanes<Dtype>::Fit(area) && IsPackAligned(x)) {
    const SmallPlanes<Dtype> small(planes, area);
    // NOLINT_NEXT_LINE(whitespace/operators)
    GlobalAveragePoolSmall<<<small.Blocks(), small.kThreads>>>(
        small, area, x, y);
  } else if (area % kSize == 0 && IsPackAligned(x)) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    GlobalAveragePool<kSize><<<blocks, threads>>>(planes, area, x, y);
  } else {
    // NOLINT_NEXT_LINE(whitespace/operators)
    GlobalAveragePool<1><<<blocks, threads>>>(planes, area, x, y);
  }
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void global_average_pool_backward_gpu(const int planes, const int area,
    const Dtype* dy, Dtype* dx) {
  const ShareOfPlane<Dtype> share = {dy, Dtype(1) / area};
  MapPlanes<Dtype>(planes, area, NULL, NULL, share, dx);
}

template void global_average_pool_gpu(int, int, const float*, float*);
template void global_average_pool_gpu(int, int, const double*, double*);
template void global_average_pool_backward_gpu(int, int, const float*, float*);
template void global_average_pool_backward_gpu(int, int, const double*,
    double*);

}  // namespace caffe
