#include <vector>

#include "caffe/layers/axpy_layer.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {

template <typename Dtype>
void AxpyLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& a = *bottom[0];
  const Blob<Dtype>& x = *bottom[1];
  const Blob<Dtype>& y = *bottom[2];
  const string& name = this->layer_param_.name();
  CHECK_GE(x.num_axes(), 2) << "Axpy layer '" << name << "': bottom[1] (X) is "
      << x.shape_string() << ", expected N x C x ...";
  CHECK(x.shape() == y.shape()) << "Axpy layer '" << name
      << "': bottom[1] (X) is " << x.shape_string() << " but bottom[2] (Y) is "
      << y.shape_string() << "; their shapes must be equal";
  CHECK(a.num_axes() >= 2 && a.shape(0) == x.shape(0) &&
        a.shape(1) == x.shape(1) && a.count(2) == 1) << "Axpy layer '" << name
      << "': bottom[0] (a) is " << a.shape_string() << ", expected N x C or "
      << "N x C x 1 x 1 for bottom[1] (X), which is " << x.shape_string();
  CHECK(top[0] != bottom[0] && top[0] != bottom[1]) << "Axpy layer '" << name
      << "': cannot be computed in place of a or X, which backward needs";
  top[0]->ReshapeLike(x);
}

template <typename Dtype>
void AxpyLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int dim = bottom[1]->count(2);
  const Dtype* a = bottom[0]->cpu_data();
  const Dtype* x = bottom[1]->cpu_data();
  const Dtype* y = bottom[2]->cpu_data();
  Dtype* f = top[0]->mutable_cpu_data();
  ParallelFor(bottom[0]->count(), dim, [=](int channel) {
    const Dtype scale = a[channel];
    const int begin = channel * dim;
    CAFFE_SIMD
    for (int i = begin; i < begin + dim; ++i) {
      f[i] = scale * x[i] + y[i];
    }
  });
}

template <typename Dtype>
void AxpyLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  const int channels = bottom[0]->count();
  const int dim = bottom[1]->count(2);
  const Dtype* df = top[0]->cpu_diff();
  if (propagate_down[0]) {
    const Dtype* x = bottom[1]->cpu_data();
    Dtype* da = bottom[0]->mutable_cpu_diff();
    ParallelFor(channels, dim, [=](int channel) {
      const int begin = channel * dim;
      double sum = 0;
      CAFFE_SIMD_SUM(sum)
      for (int i = begin; i < begin + dim; ++i) {
        sum += df[i] * x[i];
      }
      da[channel] = sum;
    });
  }
  if (propagate_down[1]) {
    const Dtype* a = bottom[0]->cpu_data();
    Dtype* dx = bottom[1]->mutable_cpu_diff();
    ParallelFor(channels, dim, [=](int channel) {
      const Dtype scale = a[channel];
      const int begin = channel * dim;
      CAFFE_SIMD
      for (int i = begin; i < begin + dim; ++i) {
        dx[i] = scale * df[i];
      }
    });
  }
  if (propagate_down[2]) {
    caffe_copy(top[0]->count(), df, bottom[2]->mutable_cpu_diff());
  }
}

#ifdef CPU_ONLY
STUB_GPU(AxpyLayer);
#endif

INSTANTIATE_CLASS(AxpyLayer);
REGISTER_LAYER_CLASS(Axpy);

}  // namespace caffe
