#include <vector>

#include "caffe/layers/cudnn_batch_norm_layer.hpp"
#include "caffe/util/block_sum.cuh"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/planes.cuh"

namespace caffe {

// y = (x - mean) / sqrt(var + eps) * scale + bias; without mean and bias: the
// gradient of that, from dy to dx.
template <typename Dtype>
struct BatchNormOfPlane {
  struct Function {
    Dtype factor, centre, shift;
    __device__ Dtype operator()(Dtype x, Dtype) const {
      return (x - centre) * factor + shift;
    }
  };
  const Divisor channels;
  const Dtype eps;
  const Dtype *scale, *bias, *mean, *var;
  __device__ Function operator()(int plane) const {
    const int c = plane - channels.Divide(plane) * channels.value();
    return {scale[c] * rsqrt(var[c] + eps), mean ? mean[c] : Dtype(0),
            mean ? bias[c] : Dtype(0)};
  }
};

// The arrays that both implementations of training work on. dscale and dbias
// are written, not added to.
template <typename Dtype>
struct BatchNormArrays {
  int num, channels, dim;
  double eps, momentum;
  const Dtype *x, *scale, *bias, *dy;
  Dtype *y, *running_mean, *running_var, *mean, *inv_std;
  Dtype *dx, *dscale, *dbias;
};

#ifdef USE_CUDNN

template <typename Dtype>
struct CuDNNBatchNormLayer<Dtype>::Gpu {
  Blob<Dtype> param_diff;  // 2 x C: of scale, of bias

  Gpu() {
    CUDNN_CHECK(cudnnCreate(&handle_));
    CUDNN_CHECK(cudnnCreateTensorDescriptor(&data_));
    CUDNN_CHECK(cudnnCreateTensorDescriptor(&param_));
  }
  ~Gpu() {
    cudnnDestroyTensorDescriptor(param_);
    cudnnDestroyTensorDescriptor(data_);
    cudnnDestroy(handle_);
  }

  void Forward(const BatchNormArrays<Dtype>& a) {
    Describe(a);
    CUDNN_CHECK(cudnnBatchNormalizationForwardTraining(handle_, kMode,
        cudnn::dataType<Dtype>::one, cudnn::dataType<Dtype>::zero,
        data_, a.x, data_, a.y, param_, a.scale, a.bias, 1 - a.momentum,
        a.running_mean, a.running_var, a.eps, a.mean, a.inv_std));
  }

  void Backward(const BatchNormArrays<Dtype>& a) {
    Describe(a);
    CUDNN_CHECK(cudnnBatchNormalizationBackward(handle_, kMode,
        cudnn::dataType<Dtype>::one, cudnn::dataType<Dtype>::zero,
        cudnn::dataType<Dtype>::one, cudnn::dataType<Dtype>::zero,
        data_, a.x, data_, a.dy, data_, a.dx, param_, a.scale,
        a.dscale, a.dbias, a.eps, a.mean, a.inv_std));
  }

 private:
  // Not SPATIAL_PERSISTENT, which may overflow silently.
  static const cudnnBatchNormMode_t kMode = CUDNN_BATCHNORM_SPATIAL;

  void Describe(const BatchNormArrays<Dtype>& a) {
    cudnn::setTensor4dDesc<Dtype>(&data_, a.num, a.channels, a.dim, 1);
    CUDNN_CHECK(cudnnDeriveBNTensorDescriptor(param_, data_, kMode));
  }

  cudnnHandle_t handle_;
  cudnnTensorDescriptor_t data_, param_;
};

#else

// One block a channel. As on the CPU: counted from a value of the channel
// itself, in double, large means do not cancel.
template <typename Dtype>
__global__ void BatchNormForward(const BatchNormArrays<Dtype> a) {
  const int c = blockIdx.x;
  const int count = a.num * a.dim;
  const double origin = a.x[c * a.dim];
  double sum = 0, squares = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    const int at = (i / a.dim * a.channels + c) * a.dim + i % a.dim;
    const double d = a.x[at] - origin;
    sum += d;
    squares += d * d;
  }
  const double offset = BlockSum(sum) / count;
  const double var = max(0., BlockSum(squares) / count - offset * offset);
  const double mean = origin + offset;
  const double inv_std = 1 / sqrt(var + a.eps);
  if (threadIdx.x == 0) {
    const double unbiased = count > 1 ? count / (count - 1.) : 1;
    a.mean[c] = mean;
    a.inv_std[c] = inv_std;
    a.running_mean[c] = a.momentum * a.running_mean[c]
        + (1 - a.momentum) * mean;
    a.running_var[c] = a.momentum * a.running_var[c]
        + (1 - a.momentum) * unbiased * var;
  }
  const Dtype centre = mean;
  const Dtype factor = a.scale[c] * inv_std;
  const Dtype shift = a.bias[c] - (mean - centre) * factor;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    const int at = (i / a.dim * a.channels + c) * a.dim + i % a.dim;
    a.y[at] = (a.x[at] - centre) * factor + shift;
  }
}

// Formulas: Backward_cpu.
template <typename Dtype>
__global__ void BatchNormBackward(const BatchNormArrays<Dtype> a) {
  const int c = blockIdx.x;
  const int count = a.num * a.dim;
  const Dtype centre = a.mean[c];
  double sum = 0, dot = 0, rest = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    const int at = (i / a.dim * a.channels + c) * a.dim + i % a.dim;
    const double d = a.x[at] - static_cast<double>(centre);
    sum += a.dy[at];
    dot += a.dy[at] * d;
    rest += d;
  }
  sum = BlockSum(sum);
  dot = BlockSum(dot);
  rest = BlockSum(rest) / count;
  const double inv_std = a.inv_std[c];
  const double slope = (dot - sum * rest) * inv_std;
  if (threadIdx.x == 0) {
    a.dscale[c] = slope;
    a.dbias[c] = sum;
  }
  const double of_dy = a.scale[c] * inv_std;
  const double of_x = -of_dy * inv_std * slope / count;
  const Dtype to_dy = of_dy, to_x = of_x;
  const Dtype shift = -of_dy * sum / count - of_x * rest;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    const int at = (i / a.dim * a.channels + c) * a.dim + i % a.dim;
    a.dx[at] = to_dy * a.dy[at] + to_x * (a.x[at] - centre) + shift;
  }
}

template <typename Dtype>
struct CuDNNBatchNormLayer<Dtype>::Gpu {
  Blob<Dtype> param_diff;  // 2 x C: of scale, of bias

  void Forward(const BatchNormArrays<Dtype>& a) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    BatchNormForward<Dtype><<<a.channels, BlockSumThreads(a.num * a.dim)>>>(a);
    CUDA_POST_KERNEL_CHECK;
  }

  void Backward(const BatchNormArrays<Dtype>& a) {
    // NOLINT_NEXT_LINE(whitespace/operators)
    BatchNormBackward<Dtype><<<a.channels, BlockSumThreads(a.num * a.dim)>>>(a);
    CUDA_POST_KERNEL_CHECK;
  }
};

#endif  // USE_CUDNN

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::Forward_gpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int dim = bottom[0]->count(2);
  if (uses_running_stats()) {
    const BatchNormOfPlane<Dtype> normalize = {
        Divisor(channels_), static_cast<Dtype>(eps_),
        this->blobs_[0]->gpu_data(), this->blobs_[1]->gpu_data(),
        this->blobs_[2]->gpu_data(), this->blobs_[3]->gpu_data()};
    MapPlanes<Dtype>(bottom[0]->count(0, 2), dim, bottom[0]->gpu_data(), NULL,
        normalize, top[0]->mutable_gpu_data());
    return;
  }
  KeepInput(*bottom[0], *top[0]);
  if (!gpu_) { gpu_.reset(new Gpu()); }
  BatchNormArrays<Dtype> arrays = {bottom[0]->shape(0), channels_, dim, eps_,
      momentum_};
  arrays.x = KeptInput(*bottom[0], *top[0]).gpu_data();
  arrays.scale = this->blobs_[0]->gpu_data();
  arrays.bias = this->blobs_[1]->gpu_data();
  arrays.running_mean = this->blobs_[2]->mutable_gpu_data();
  arrays.running_var = this->blobs_[3]->mutable_gpu_data();
  arrays.mean = mean_.mutable_gpu_data();
  arrays.inv_std = inv_std_.mutable_gpu_data();
  arrays.y = top[0]->mutable_gpu_data();
  gpu_->Forward(arrays);
}

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::Backward_gpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  const int count = bottom[0]->count();
  const int dim = bottom[0]->count(2);
  if (uses_running_stats()) {
    if (propagate_down[0]) {
      const BatchNormOfPlane<Dtype> gradient = {
          Divisor(channels_), static_cast<Dtype>(eps_),
          this->blobs_[0]->gpu_data(), NULL, NULL,
          this->blobs_[3]->gpu_data()};
      MapPlanes<Dtype>(bottom[0]->count(0, 2), dim, top[0]->gpu_diff(), NULL,
          gradient, bottom[0]->mutable_gpu_diff());
    }
    return;
  }
  const Blob<Dtype>& kept = KeptInput(*bottom[0], *top[0]);
  if (!gpu_) { gpu_.reset(new Gpu()); }
  gpu_->param_diff.Reshape(vector<int>({2, channels_}));
  BatchNormArrays<Dtype> arrays = {bottom[0]->shape(0), channels_, dim, eps_,
      momentum_};
  arrays.x = kept.gpu_data();
  arrays.scale = this->blobs_[0]->gpu_data();
  arrays.mean = mean_.mutable_gpu_data();
  arrays.inv_std = inv_std_.mutable_gpu_data();
  arrays.dscale = gpu_->param_diff.mutable_gpu_data();
  arrays.dbias = arrays.dscale + channels_;
  arrays.dy = top[0]->gpu_diff();
  // cuDNN always computes dx, and does not say that dx may overwrite dy.
  copy_.ReshapeLike(*bottom[0]);
  if (!propagate_down[0]) {
    arrays.dx = copy_.mutable_gpu_diff();
  } else {
    if (bottom[0] == top[0]) {
      caffe_copy(count, arrays.dy, copy_.mutable_gpu_diff());
      arrays.dy = copy_.gpu_diff();
    }
    arrays.dx = bottom[0]->mutable_gpu_diff();
  }
  gpu_->Backward(arrays);
  for (int i = 0; i < 2; ++i) {
    if (this->param_propagate_down_[i]) {
      caffe_gpu_axpy(channels_, Dtype(1),
          gpu_->param_diff.gpu_data() + i * channels_,
          this->blobs_[i]->mutable_gpu_diff());
    }
  }
}

INSTANTIATE_LAYER_GPU_FUNCS(CuDNNBatchNormLayer);

}  // namespace caffe
