#include <vector>

#include "caffe/layers/axpy_layer.hpp"
#include "caffe/util/planes.cuh"

namespace caffe {

template <typename Dtype>
struct AxpyOfPlane {
  struct Function {
    Dtype a;
    __device__ Dtype operator()(Dtype x, Dtype y) const { return a * x + y; }
  };
  const Dtype* a;
  __device__ Function operator()(int plane) const { return {a[plane]}; }
};

// The gradients that are wanted are not NULL; df is none of them.
template <int kSize, typename Dtype>
__global__ void AxpyBackward(const int planes, const int dim, const Dtype* a,
    const Dtype* x, const Dtype* df, Dtype* da, Dtype* dx, Dtype* dy) {
  typedef Pack<Dtype, kSize> Values;
  const int plane = ThreadPlane();
  if (plane >= planes) { return; }
  const int begin = plane * dim;
  const Values* __restrict__ xs = reinterpret_cast<const Values*>(x + begin);
  const Values* __restrict__ dfs = reinterpret_cast<const Values*>(df + begin);
  Values* dxs = reinterpret_cast<Values*>(dx + begin);
  Values* dys = reinterpret_cast<Values*>(dy + begin);
  const Dtype scale = a[plane];
  Dtype sum = 0;
#pragma unroll 4
  for (int i = threadIdx.x; i < dim / kSize; i += blockDim.x) {
    const Values d = dfs[i];
    if (da) {
      const Values of_x = xs[i];
#pragma unroll
      for (int k = 0; k < kSize; ++k) { sum += d.v[k] * of_x.v[k]; }
    }
    if (dx) {
      Values scaled;
#pragma unroll
      for (int k = 0; k < kSize; ++k) { scaled.v[k] = scale * d.v[k]; }
      dxs[i] = scaled;
    }
    if (dy) { dys[i] = d; }
  }
  if (da) {
    sum = PlaneSum(sum);
    if (threadIdx.x == 0) { da[plane] = sum; }
  }
}

template <typename Dtype>
struct ScaleOfPlane {
  struct Function {
    Dtype a;
    __device__ Dtype operator()(Dtype d, Dtype) const { return a * d; }
  };
  const Dtype* a;
  __device__ Function operator()(int plane) const { return {a[plane]}; }
};

// As AxpyBackward, of small planes.
template <typename Dtype>
__global__ void AxpyBackwardSmall(const SmallPlanes<Dtype> planes,
    const Divisor dim, const Dtype* a, const Dtype* __restrict__ x,
    const Dtype* __restrict__ df, Dtype* da, Dtype* dx, Dtype* dy) {
  const int kSize = PackSize<Dtype>::value;
  planes.Sum(
      [=](unsigned begin, unsigned count) {
        const Pack<Dtype, kSize> d = LoadPack<kSize>(df, begin, count);
        Pack<Dtype, kSize> product = {};
        if (da) {
          product = LoadPack<kSize>(x, begin, count);
#pragma unroll
          for (int k = 0; k < kSize; ++k) { product.v[k] *= d.v[k]; }
        }
        if (dx) {
          const ScaleOfPlane<Dtype> scale = {a};
          StorePack(MapPack(d, d, scale, dim, begin, count), begin, count, dx);
        }
        if (dy) { StorePack(d, begin, count, dy); }
        return product;
      },
      [=](int plane, Dtype sum) { if (da) { da[plane] = sum; } });
}

template <typename Dtype>
void AxpyLayer<Dtype>::Forward_gpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const AxpyOfPlane<Dtype> axpy = {bottom[0]->gpu_data()};
  MapPlanes<Dtype>(bottom[0]->count(), bottom[1]->count(2),
      bottom[1]->gpu_data(), bottom[2]->gpu_data(), axpy,
      top[0]->mutable_gpu_data());
}

template <typename Dtype>
void AxpyLayer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  const int planes = bottom[0]->count(), dim = bottom[1]->count(2);
  if (planes == 0) { return; }
  const Dtype* a = bottom[0]->gpu_data();
  const Dtype* x = bottom[1]->gpu_data();
  const Dtype* df = top[0]->gpu_diff();
  Dtype* wanted[3];
  for (int i = 0; i < 3; ++i) {
    // F in place of Y has the gradient of Y already.
    wanted[i] = propagate_down[i] && bottom[i] != top[0]
        ? bottom[i]->mutable_gpu_diff() : NULL;
  }
  const int kSize = PackSize<Dtype>::value;
  const dim3 threads = PlaneThreads(planes, dim);
  const int blocks = PlaneBlocks(planes, threads);
  const bool packs = IsPackAligned(x, df, wanted[1], wanted[2]);
  if (packs && SmallPlanes<Dtype>::Fit(dim)) {
    const SmallPlanes<Dtype> small(planes, dim);
    // NOLINT_NEXT_LINE(whitespace/operators)
    AxpyBackwardSmall<<<small.Blocks(), small.kThreads>>>(
        small, Divisor(dim), a, x, df, wanted[0], wanted[1], wanted[2]);
  } else if (packs && dim % kSize == 0) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    AxpyBackward<kSize><<<blocks, threads>>>(
        planes, dim, a, x, df, wanted[0], wanted[1], wanted[2]);
  } else {
    // NOLINT_NEXT_LINE(whitespace/operators)
    AxpyBackward<1><<<blocks, threads>>>(
        planes, dim, a, x, df, wanted[0], wanted[1], wanted[2]);
  }
  CUDA_POST_KERNEL_CHECK;
}

INSTANTIATE_LAYER_GPU_FUNCS(AxpyLayer);

}  // namespace caffe
