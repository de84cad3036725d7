#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/filler.hpp"
#include "caffe/layers/cudnn_batch_norm_layer.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {

namespace {

// The layer's parameters under either name.
CuDNNBatchNormParameter ReadParameter(const LayerParameter& layer) {
  CuDNNBatchNormParameter param = layer.cudnn_batch_norm_param();
  if (!layer.has_cudnn_batch_norm_param() && layer.has_batch_norm_param()) {
    const BatchNormParameter& from = layer.batch_norm_param();
    CHECK(!from.has_use_global_stats() && !from.has_moving_average_fraction())
        << "CuDNNBatchNorm layer '" << layer.name() << "': use_global_stats "
        << "and moving_average_fraction belong to BatchNorm; this layer has "
        << "frozen and momentum";
    param.set_frozen(from.frozen());
    param.set_momentum(from.momentum());
    param.set_eps(from.eps());
    if (from.has_scale_filler()) {
      *param.mutable_scale_filler() = from.scale_filler();
    }
    if (from.has_bias_filler()) {
      *param.mutable_bias_filler() = from.bias_filler();
    }
  }
  if (!param.has_scale_filler()) {
    // Caffe's default filler, constant 0, would switch the layer off.
    param.mutable_scale_filler()->set_value(1);
  }
  return param;
}

// Where a channel of an N x C x ... array lies: `num` runs of `dim` numbers,
// one every `step`.
struct Runs {
  int num, step, dim;
};

// Mean and biased variance in one pass. Counting from a value of the channel
// itself, in double, large means do not cancel.
template <typename Dtype>
void Moments(const Runs& runs, const Dtype* x, double* mean, double* var) {
  const double origin = x[0];
  double sum = 0, squares = 0;
  for (int n = 0; n < runs.num; ++n, x += runs.step) {
    CAFFE_SIMD_SUM(sum, squares)
    for (int i = 0; i < runs.dim; ++i) {
      const double d = x[i] - origin;
      sum += d;
      squares += d * d;
    }
  }
  const double count = static_cast<double>(runs.num) * runs.dim;
  const double offset = sum / count;
  *mean = origin + offset;
  *var = std::max(0., squares / count - offset * offset);
}

template <typename Dtype>
void Normalize(const Runs& runs, const Dtype* x, Dtype mean, Dtype scale,
    Dtype bias, Dtype* y) {
  for (int n = 0; n < runs.num; ++n, x += runs.step, y += runs.step) {
    CAFFE_SIMD
    for (int i = 0; i < runs.dim; ++i) {
      y[i] = (x[i] - mean) * scale + bias;
    }
  }
}

}  // namespace

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const string& name = this->layer_param_.name();
  const CuDNNBatchNormParameter param = ReadParameter(this->layer_param_);
  frozen_ = param.frozen();
  momentum_ = param.momentum();
  eps_ = param.eps();
  CHECK(momentum_ >= 0 && momentum_ <= 1) << "CuDNNBatchNorm layer '" << name
      << "': momentum is " << momentum_ << ", expected 0 to 1";
  CHECK_GE(eps_, 0) << "CuDNNBatchNorm layer '" << name << "': eps is "
      << eps_ << ", expected 0 or more";
#if !defined(CPU_ONLY) && defined(USE_CUDNN)
  // cuDNN refuses less (1e-5 up to 7.4, 0 today).
  eps_ = std::max(eps_, static_cast<double>(CUDNN_BN_MIN_EPSILON));
#endif
  CHECK_GE(bottom[0]->num_axes(), 2) << "CuDNNBatchNorm layer '" << name
      << "': bottom[0] is " << bottom[0]->shape_string()
      << ", expected N x C x ...";
  channels_ = bottom[0]->shape(1);

  const vector<int> shape = {1, channels_, 1, 1};
  if (this->blobs_.size() > 0) {
    LOG(INFO) << "Skipping parameter initialization";
    CHECK_EQ(this->blobs_.size(), 4) << "CuDNNBatchNorm layer '" << name
        << "': expected 4 blobs (scale, bias, mean, variance)";
    for (int i = 0; i < 4; ++i) {
      CHECK(this->blobs_[i]->shape() == shape) << "CuDNNBatchNorm layer '"
          << name << "': blob " << i << " is "
          << this->blobs_[i]->shape_string() << ", expected "
          << Blob<Dtype>(shape).shape_string();
    }
  } else {
    this->blobs_.resize(4);
    for (int i = 0; i < 4; ++i) {
      this->blobs_[i].reset(new Blob<Dtype>(shape));
    }
    shared_ptr<Filler<Dtype> > scale(GetFiller<Dtype>(param.scale_filler()));
    scale->Fill(this->blobs_[0].get());
    shared_ptr<Filler<Dtype> > bias(GetFiller<Dtype>(param.bias_filler()));
    bias->Fill(this->blobs_[1].get());
    caffe_set(channels_, Dtype(0), this->blobs_[2]->mutable_cpu_data());
    // A frozen layer never sees a batch: without weights it changes nothing.
    caffe_set(channels_, Dtype(frozen_ ? 1 : 0),
        this->blobs_[3]->mutable_cpu_data());
  }
  this->param_propagate_down_.resize(4, true);

  while (this->layer_param_.param_size() < 4) {
    this->layer_param_.add_param();
  }
  for (int i = frozen_ ? 0 : 2; i < 4; ++i) {
    this->layer_param_.mutable_param(i)->set_lr_mult(0);
    this->layer_param_.mutable_param(i)->set_decay_mult(0);
  }
  mean_.Reshape(shape);
  inv_std_.Reshape(shape);
}

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const string& name = this->layer_param_.name();
  CHECK(bottom[0]->num_axes() >= 2 && bottom[0]->shape(1) == channels_)
      << "CuDNNBatchNorm layer '" << name << "': bottom[0] is "
      << bottom[0]->shape_string() << ", expected N x " << channels_
      << " x ...";
  top[0]->ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::KeepInput(const Blob<Dtype>& bottom,
    const Blob<Dtype>& top) {
  kept_shape_ = bottom.shape();
  if (&bottom == &top) {
    // Sized here and not in Reshape, which may come before Backward too.
    copy_.CopyFrom(bottom, false, true);
  }
}

template <typename Dtype>
const Blob<Dtype>& CuDNNBatchNormLayer<Dtype>::KeptInput(
    const Blob<Dtype>& bottom, const Blob<Dtype>& top) const {
  CHECK(bottom.shape() == kept_shape_) << "CuDNNBatchNorm layer '"
      << this->layer_param_.name() << "': Backward for "
      << bottom.shape_string() << " needs a Forward of that shape before it";
  return &bottom == &top ? copy_ : bottom;
}

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int dim = bottom[0]->count(2);
  const Runs runs = {bottom[0]->shape(0), channels_ * dim, dim};
  const Dtype* scale = this->blobs_[0]->cpu_data();
  const Dtype* bias = this->blobs_[1]->cpu_data();
  if (uses_running_stats()) {
    const Dtype* mean = this->blobs_[2]->cpu_data();
    const Dtype* var = this->blobs_[3]->cpu_data();
    const Dtype* x = bottom[0]->cpu_data();
    Dtype* y = top[0]->mutable_cpu_data();
    ParallelFor(channels_, runs.num * dim, [=](int c) {
      const Dtype factor = scale[c] / std::sqrt(var[c] + eps_);
      Normalize(runs, x + c * dim, mean[c], factor, bias[c], y + c * dim);
    });
    return;
  }
  KeepInput(*bottom[0], *top[0]);
  Dtype* batch_mean = mean_.mutable_cpu_data();
  Dtype* batch_inv_std = inv_std_.mutable_cpu_data();
  Dtype* running_mean = this->blobs_[2]->mutable_cpu_data();
  Dtype* running_var = this->blobs_[3]->mutable_cpu_data();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const double count = static_cast<double>(runs.num) * dim;
  const double unbiased = count > 1 ? count / (count - 1) : 1;
  ParallelFor(channels_, runs.num * dim, [=](int c) {
    double mean, var;
    Moments(runs, x + c * dim, &mean, &var);
    const double inv_std = 1 / std::sqrt(var + eps_);
    batch_mean[c] = mean;
    batch_inv_std[c] = inv_std;
    running_mean[c] = momentum_ * running_mean[c] + (1 - momentum_) * mean;
    running_var[c] = momentum_ * running_var[c]
        + (1 - momentum_) * unbiased * var;
    // What Dtype cannot hold of a large mean goes into the bias.
    const double factor = scale[c] * inv_std;
    const double shift = bias[c] - (mean - batch_mean[c]) * factor;
    Normalize<Dtype>(runs, x + c * dim, batch_mean[c], factor, shift,
        y + c * dim);
  });
}

template <typename Dtype>
void CuDNNBatchNormLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  const int dim = bottom[0]->count(2);
  const Runs runs = {bottom[0]->shape(0), channels_ * dim, dim};
  const Dtype* scale = this->blobs_[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = propagate_down[0] ? bottom[0]->mutable_cpu_diff() : NULL;
  if (uses_running_stats()) {
    if (propagate_down[0]) {
      const Dtype* var = this->blobs_[3]->cpu_data();
      ParallelFor(channels_, runs.num * dim, [=](int c) {
        const Dtype factor = scale[c] / std::sqrt(var[c] + eps_);
        Normalize<Dtype>(runs, dy + c * dim, 0, factor, 0, dx + c * dim);
      });
    }
    return;
  }
  const Dtype* x = KeptInput(*bottom[0], *top[0]).cpu_data();
  const Dtype* mean = mean_.cpu_data();
  const Dtype* inv_std = inv_std_.cpu_data();
  Dtype* dscale = this->param_propagate_down_[0] ?
      this->blobs_[0]->mutable_cpu_diff() : NULL;
  Dtype* dbias = this->param_propagate_down_[1] ?
      this->blobs_[1]->mutable_cpu_diff() : NULL;
  const double count = static_cast<double>(runs.num) * dim;
  ParallelFor(channels_, 2 * runs.num * dim, [=](int c) {
    // With d = x - mean: sums of dy, dy * d, and d, which is not quite 0 where
    // Dtype cannot hold the mean.
    double sum = 0, dot = 0, rest = 0;
    for (int n = 0; n < runs.num; ++n) {
      const Dtype* xn = x + n * runs.step + c * dim;
      const Dtype* dyn = dy + n * runs.step + c * dim;
      const double centre = mean[c];
      CAFFE_SIMD_SUM(sum, dot, rest)
      for (int i = 0; i < dim; ++i) {
        const double d = xn[i] - centre;
        sum += dyn[i];
        dot += dyn[i] * d;
        rest += d;
      }
    }
    rest /= count;
    const double slope = (dot - sum * rest) * inv_std[c];
    if (dscale) { dscale[c] += slope; }
    if (dbias) { dbias[c] += sum; }
    if (!dx) { return; }
    // dx = scale / std * (dy - sum / count - (x - mean) / std * slope / count)
    const double of_dy = scale[c] * inv_std[c];
    const double of_x = -of_dy * inv_std[c] * slope / count;
    const Dtype a = of_dy, b = of_x, e = -of_dy * sum / count - of_x * rest;
    for (int n = 0; n < runs.num; ++n) {
      const Dtype* xn = x + n * runs.step + c * dim;
      const Dtype* dyn = dy + n * runs.step + c * dim;
      Dtype* dxn = dx + n * runs.step + c * dim;
      const Dtype centre = mean[c];
      CAFFE_SIMD
      for (int i = 0; i < dim; ++i) {
        dxn[i] = a * dyn[i] + b * (xn[i] - centre) + e;
      }
    }
  });
}

#ifdef CPU_ONLY
STUB_GPU(CuDNNBatchNormLayer);
#endif

INSTANTIATE_CLASS(CuDNNBatchNormLayer);
REGISTER_LAYER_CLASS(CuDNNBatchNorm);

}  // namespace caffe
