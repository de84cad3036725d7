#include <algorithm>
#include <vector>

#include "caffe/layers/depthwise_conv_layer.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {

namespace {

// A kernel or an output plane, and how far a step in it moves in the input.
struct Grid {
  int height, width, step_h, step_w;
};

// Convolution multiplies kernel[k], output[o] and input[o * stride +
// k * dilation - pad], in which kernel and output play the same part. So one of
// them is walked point by point (`point`), and for each point the other in rows
// (`rows`): the wider one, for long inner loops. Forward and both gradients are
// this same walk.
class Walk {
 public:
  explicit Walk(const DepthwiseShape& s) : s_(s) {
    const Grid kernel = {s.kernel_h, s.kernel_w, s.dilation_h, s.dilation_w};
    const Grid output = {s.out_height, s.out_width, s.stride_h, s.stride_w};
    output_in_rows_ = output.width >= kernel.width;
    point_ = output_in_rows_ ? kernel : output;
    rows_ = output_in_rows_ ? output : kernel;
  }

  // sum += known * input. `known` is a kernel and `sum` an output plane, or the
  // other way round; known_is_kernel says which.
  template <typename Dtype>
  void Correlate(const Dtype* known, const Dtype* input, bool known_is_kernel,
      Dtype* sum) const {
    const int step = rows_.step_w;
    if (known_is_kernel == output_in_rows_) {
      ForEach([=](int point, int row, int in, int length) {
        const Dtype factor = known[point];
        const Dtype* x = input + in;
        Dtype* y = sum + row;
        if (step == 1) {
          CAFFE_SIMD
          for (int i = 0; i < length; ++i) { y[i] += factor * x[i]; }
        } else {
          for (int i = 0; i < length; ++i) { y[i] += factor * x[i * step]; }
        }
      });
    } else {
      ForEach([=](int point, int row, int in, int length) {
        const Dtype* x = input + in;
        const Dtype* v = known + row;
        Dtype dot = 0;
        if (step == 1) {
          CAFFE_SIMD_SUM(dot)
          for (int i = 0; i < length; ++i) { dot += v[i] * x[i]; }
        } else {
          for (int i = 0; i < length; ++i) { dot += v[i] * x[i * step]; }
        }
        sum[point] += dot;
      });
    }
  }

  // input += kernel * output, each product where its factors meet.
  template <typename Dtype>
  void Scatter(const Dtype* kernel, const Dtype* output, Dtype* input) const {
    const int step = rows_.step_w;
    const Dtype* points = output_in_rows_ ? kernel : output;
    const Dtype* rows = output_in_rows_ ? output : kernel;
    ForEach([=](int point, int row, int in, int length) {
      const Dtype factor = points[point];
      const Dtype* v = rows + row;
      Dtype* x = input + in;
      if (step == 1) {
        CAFFE_SIMD
        for (int i = 0; i < length; ++i) { x[i] += factor * v[i]; }
      } else {
        for (int i = 0; i < length; ++i) { x[i * step] += factor * v[i]; }
      }
    });
  }

 private:
  // Calls f(point, row, in, length) with indices of a point, and of where a run
  // of `length` numbers of a row and its first partner in the input begin; runs
  // leave out what falls into the padding.
  template <typename F>
  void ForEach(const F& f) const {
    for (int i = 0; i < point_.height * point_.width; ++i) {
      const int top = i / point_.width * point_.step_h - s_.pad_h;
      const int left = i % point_.width * point_.step_w - s_.pad_w;
      const int step = rows_.step_w;
      const int begin = left >= 0 ? 0 : (-left + step - 1) / step;
      const int end = left >= s_.width ? 0 :
          std::min(rows_.width, (s_.width - 1 - left) / step + 1);
      if (begin >= end) { continue; }
      for (int r = 0; r < rows_.height; ++r) {
        const int h = top + r * rows_.step_h;
        if (h >= 0 && h < s_.height) {
          f(i, r * rows_.width + begin, h * s_.width + left + begin * step,
              end - begin);
        }
      }
    }
  }

  DepthwiseShape s_;
  bool output_in_rows_;
  Grid point_, rows_;
};

}  // namespace

template <typename Dtype>
void DepthwiseConvolutionLayer<Dtype>::LayerSetUp(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  const string& name = this->layer_param_.name();
  const int axis = bottom[0]->CanonicalAxisIndex(param.axis());
  CHECK_EQ(bottom[0]->num_axes(), axis + 3) << "DepthwiseConvolution layer '"
      << name << "': bottom[0] is " << bottom[0]->shape_string()
      << ", expected N x C x H x W";
  CHECK_EQ(param.group(), bottom[0]->shape(axis))
      << "DepthwiseConvolution layer '" << name << "': group is "
      << param.group() << ", expected the number of input channels, "
      << bottom[0]->shape(axis);
  ConvolutionLayer<Dtype>::LayerSetUp(bottom, top);
}

template <typename Dtype>
DepthwiseShape DepthwiseConvolutionLayer<Dtype>::GetShape() const {
  const int* kernel = this->kernel_shape_.cpu_data();
  const int* stride = this->stride_.cpu_data();
  const int* pad = this->pad_.cpu_data();
  const int* dilation = this->dilation_.cpu_data();
  const int* input = this->conv_input_shape_.cpu_data();
  return {this->num_, this->channels_, this->num_output_ / this->channels_,
      input[1], input[2], this->output_shape_[0], this->output_shape_[1],
      kernel[0], kernel[1], stride[0], stride[1], pad[0], pad[1],
      dilation[0], dilation[1]};
}

template <typename Dtype>
void DepthwiseConvolutionLayer<Dtype>::Forward_cpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const DepthwiseShape s = GetShape();
  const Walk walk(s);
  const int outputs = s.channels * s.multiplier;
  const int in_dim = s.height * s.width;
  const int out_dim = s.out_height * s.out_width;
  const int kernel_dim = s.kernel_h * s.kernel_w;
  const Dtype* weight = this->blobs_[0]->cpu_data();
  const Dtype* bias = this->bias_term_ ? this->blobs_[1]->cpu_data() : NULL;
  for (size_t i = 0; i < bottom.size(); ++i) {
    const Dtype* x = bottom[i]->cpu_data();
    Dtype* y = top[i]->mutable_cpu_data();
    ParallelFor(s.num * outputs, kernel_dim * out_dim, [&](int plane) {
      const int o = plane % outputs;
      Dtype* sum = y + plane * out_dim;
      std::fill(sum, sum + out_dim, bias ? bias[o] : Dtype(0));
      walk.Correlate(weight + o * kernel_dim,
          x + plane / s.multiplier * in_dim, true, sum);
    });
  }
}

template <typename Dtype>
void DepthwiseConvolutionLayer<Dtype>::Backward_cpu(
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom) {
  const DepthwiseShape s = GetShape();
  const Walk walk(s);
  const int outputs = s.channels * s.multiplier;
  const int in_dim = s.height * s.width;
  const int out_dim = s.out_height * s.out_width;
  const int kernel_dim = s.kernel_h * s.kernel_w;
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* dy = top[i]->cpu_diff();
    if (this->bias_term_ && this->param_propagate_down_[1]) {
      Dtype* dbias = this->blobs_[1]->mutable_cpu_diff();
      ParallelFor(outputs, s.num * out_dim, [&](int o) {
        double sum = 0;
        for (int n = 0; n < s.num; ++n) {
          const Dtype* plane = dy + (n * outputs + o) * out_dim;
          CAFFE_SIMD_SUM(sum)
          for (int j = 0; j < out_dim; ++j) { sum += plane[j]; }
        }
        dbias[o] += sum;
      });
    }
    if (this->param_propagate_down_[0]) {
      const Dtype* x = bottom[i]->cpu_data();
      Dtype* dweight = this->blobs_[0]->mutable_cpu_diff();
      ParallelFor(outputs, s.num * kernel_dim * out_dim, [&](int o) {
        for (int n = 0; n < s.num; ++n) {
          const int plane = n * outputs + o;
          walk.Correlate(dy + plane * out_dim,
              x + plane / s.multiplier * in_dim, false,
              dweight + o * kernel_dim);
        }
      });
    }
    if (propagate_down[i]) {
      const Dtype* weight = this->blobs_[0]->cpu_data();
      Dtype* dx = bottom[i]->mutable_cpu_diff();
      ParallelFor(s.num * s.channels, s.multiplier * kernel_dim * out_dim,
          [&](int plane) {
        Dtype* sum = dx + plane * in_dim;
        std::fill(sum, sum + in_dim, Dtype(0));
        for (int m = 0; m < s.multiplier; ++m) {
          const int out = plane * s.multiplier + m;
          walk.Scatter(weight + out % outputs * kernel_dim, dy + out * out_dim,
              sum);
        }
      });
    }
  }
}

#ifdef CPU_ONLY
STUB_GPU(DepthwiseConvolutionLayer);
#endif

INSTANTIATE_CLASS(DepthwiseConvolutionLayer);
REGISTER_LAYER_CLASS(DepthwiseConvolution);

}  // namespace caffe
