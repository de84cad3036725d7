#include <vector>

#include "caffe/layers/axpy_layer.hpp"
#include "caffe/util/planes.cuh"

namespace caffe {

template <typename Dtype>
__global__ void AxpyForward(const int planes, const int dim, const Dtype* a,
    const Dtype* x, const Dtype* y, Dtype* f) {
  const int plane = ThreadPlane();
  if (plane >= planes) { return; }
  const Dtype scale = a[plane];
  x += plane * dim;
  y += plane * dim;
  WritePlane(dim, f + plane * dim, [=](int i) { return scale * x[i] + y[i]; });
}

// The gradients that are wanted are not NULL; df is none of them.
template <typename Dtype>
__global__ void AxpyBackward(const int planes, const int dim,
    const Dtype* __restrict__ a, const Dtype* __restrict__ x,
    const Dtype* __restrict__ df, Dtype* da, Dtype* dx, Dtype* dy) {
  const int plane = ThreadPlane();
  if (plane >= planes) { return; }
  const int begin = plane * dim;
  const Dtype scale = a[plane];
  Dtype sum = 0;
#pragma unroll 4
  for (int i = begin + threadIdx.x; i < begin + dim; i += blockDim.x) {
    const Dtype d = df[i];
    if (da) { sum += d * x[i]; }
    if (dx) { dx[i] = scale * d; }
    if (dy) { dy[i] = d; }
  }
  if (da) {
    sum = PlaneSum(sum);
    if (threadIdx.x == 0) { da[plane] = sum; }
  }
}

template <typename Dtype>
void AxpyLayer<Dtype>::Forward_gpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int planes = bottom[0]->count(), dim = bottom[1]->count(2);
  // NOLINT_NEXT_LINE(whitespace/operators)
  AxpyForward<Dtype><<<WritePlaneBlocks(planes, dim), PlaneThreads(dim)>>>(
      planes, dim, bottom[0]->gpu_data(), bottom[1]->gpu_data(),
      bottom[2]->gpu_data(), top[0]->mutable_gpu_data());
  CUDA_POST_KERNEL_CHECK;
}

template <typename Dtype>
void AxpyLayer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  const int planes = bottom[0]->count(), dim = bottom[1]->count(2);
  Dtype* gradients[3];
  for (int i = 0; i < 3; ++i) {
    // F in place of Y has the gradient of Y already.
    gradients[i] = propagate_down[i] && bottom[i] != top[0]
        ? bottom[i]->mutable_gpu_diff() : NULL;
  }
  // NOLINT_NEXT_LINE(whitespace/operators)
  AxpyBackward<Dtype><<<PlaneBlocks(planes, dim), PlaneThreads(dim)>>>(
      planes, dim, bottom[0]->gpu_data(), bottom[1]->gpu_data(),
      top[0]->gpu_diff(), gradients[0], gradients[1], gradients[2]);
  CUDA_POST_KERNEL_CHECK;
}

INSTANTIATE_LAYER_GPU_FUNCS(AxpyLayer);

}  // namespace caffe
