#include <algorithm>
#include <vector>

#include "caffe/layers/interp_layer.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {

template <typename Dtype>
void InterpLayer<Dtype>::Axis::Resize(int new_in, int new_out) {
  if (new_in == in && new_out == out) {
    return;
  }
  in = new_in;
  out = new_out;
  low.Reshape({out});
  weight.Reshape({out});
  first.Reshape({in + 1});
  int* first_of = first.mutable_cpu_data();
  const int steps = std::max(out - 1, 1);
  int k = 0;
  for (int i = 0; i < out; ++i) {
    const int64_t place = static_cast<int64_t>(i) * (in - 1);
    const int floor = place / steps;
    low.mutable_cpu_data()[i] = floor;
    weight.mutable_cpu_data()[i] = static_cast<Dtype>(place % steps) / steps;
    for (; k <= floor; ++k) {
      first_of[k] = i;
    }
  }
  std::fill(first_of + k, first_of + in + 1, out);
}

template <typename Dtype>
void InterpLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const InterpParameter& param = this->layer_param_.interp_param();
  const string& name = this->layer_param_.name();
  const bool size = param.has_height() || param.has_width();
  const bool factor = param.has_zoom_factor() || param.has_shrink_factor();
  CHECK_EQ((bottom.size() == 2) + size + factor, 1) << "Interp layer '" << name
      << "': expected one source of the top's size: a second bottom, height "
      << "and width, or zoom_factor and/or shrink_factor";
  CHECK(!size || (param.height() > 0 && param.width() > 0)) << "Interp layer '"
      << name << "': height is " << param.height() << " and width "
      << param.width() << ", expected both, and positive";
  CHECK(param.zoom_factor() > 0 && param.shrink_factor() > 0)
      << "Interp layer '" << name << "': zoom_factor is " << param.zoom_factor()
      << " and shrink_factor " << param.shrink_factor()
      << ", expected positive ones";
  CHECK(param.pad_beg() == 0 && param.pad_end() == 0) << "Interp layer '"
      << name << "': pad_beg is " << param.pad_beg() << " and pad_end "
      << param.pad_end() << ", expected 0; put a Crop layer before this one";
}

template <typename Dtype>
void InterpLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const InterpParameter& param = this->layer_param_.interp_param();
  const string& name = this->layer_param_.name();
  for (int i = 0; i < bottom.size(); ++i) {
    CHECK(bottom[i]->num_axes() == 4 && bottom[i]->count(2) > 0)
        << "Interp layer '" << name << "': bottom[" << i << "] is "
        << bottom[i]->shape_string() << ", expected N x C x H x W";
  }
  CHECK(top[0] != bottom[0]) << "Interp layer '" << name
      << "': cannot be computed in place, since outputs share inputs";
  const int in_h = bottom[0]->shape(2), in_w = bottom[0]->shape(3);
  const int shrink = param.shrink_factor(), zoom = param.zoom_factor();
  int out_h = (in_h - 1) / shrink * zoom + 1;
  int out_w = (in_w - 1) / shrink * zoom + 1;
  if (bottom.size() == 2) {
    out_h = bottom[1]->shape(2);
    out_w = bottom[1]->shape(3);
  } else if (param.has_height()) {
    out_h = param.height();
    out_w = param.width();
  }
  rows_.Resize(in_h, out_h);
  columns_.Resize(in_w, out_w);
  top[0]->Reshape({bottom[0]->shape(0), bottom[0]->shape(1), out_h, out_w});
}

// Both ways a row of outputs goes through a row of the inputs' width, blended
// from two of the inputs': it has a last column more, for weights of 0.
template <typename Dtype>
void InterpLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const int in_h = rows_.in, out_h = rows_.out;
  const int in_w = columns_.in, out_w = columns_.out;
  const int* low_h = rows_.low.cpu_data();
  const int* low_w = columns_.low.cpu_data();
  const Dtype* weight_h = rows_.weight.cpu_data();
  const Dtype* weight_w = columns_.weight.cpu_data();
  const Dtype* bottom_data = bottom[0]->cpu_data();
  Dtype* top_data = top[0]->mutable_cpu_data();
  ParallelFor(bottom[0]->count(0, 2), out_h * (in_w + out_w), [=](int plane) {
    const Dtype* x = bottom_data + plane * in_h * in_w;
    Dtype* y = top_data + plane * out_h * out_w;
    vector<Dtype> blend(in_w + 1);
    Dtype* row = blend.data();
    for (int i = 0; i < out_h; ++i, y += out_w) {
      const Dtype* low = x + low_h[i] * in_w;
      const Dtype* high = low_h[i] + 1 < in_h ? low + in_w : low;
      const Dtype weight = weight_h[i];
      CAFFE_SIMD
      for (int j = 0; j < in_w; ++j) {
        row[j] = (1 - weight) * low[j] + weight * high[j];
      }
      row[in_w] = row[in_w - 1];
      for (int j = 0; j < out_w; ++j) {
        const Dtype* pair = row + low_w[j];
        y[j] = (1 - weight_w[j]) * pair[0] + weight_w[j] * pair[1];
      }
    }
  });
}

template <typename Dtype>
void InterpLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
    const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
  if (bottom.size() == 2 && propagate_down[1]) {
    caffe_set(bottom[1]->count(), Dtype(0), bottom[1]->mutable_cpu_diff());
  }
  if (!propagate_down[0]) {
    return;
  }
  const int in_h = rows_.in, out_h = rows_.out;
  const int in_w = columns_.in, out_w = columns_.out;
  const int* low_h = rows_.low.cpu_data();
  const int* low_w = columns_.low.cpu_data();
  const Dtype* weight_h = rows_.weight.cpu_data();
  const Dtype* weight_w = columns_.weight.cpu_data();
  const Dtype* top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  ParallelFor(bottom[0]->count(0, 2), out_h * (in_w + out_w), [=](int plane) {
    const Dtype* dy = top_diff + plane * out_h * out_w;
    Dtype* dx = bottom_diff + plane * in_h * in_w;
    std::fill(dx, dx + in_h * in_w, Dtype(0));
    vector<Dtype> blend(in_w + 1);
    Dtype* row = blend.data();
    for (int i = 0; i < out_h; ++i, dy += out_w) {
      std::fill(row, row + in_w, Dtype(0));
      for (int j = 0; j < out_w; ++j) {
        Dtype* pair = row + low_w[j];
        pair[0] += (1 - weight_w[j]) * dy[j];
        pair[1] += weight_w[j] * dy[j];
      }
      Dtype* low = dx + low_h[i] * in_w;
      Dtype* high = low_h[i] + 1 < in_h ? low + in_w : low;
      const Dtype weight = weight_h[i];
      CAFFE_SIMD
      for (int j = 0; j < in_w; ++j) {
        low[j] += (1 - weight) * row[j];
      }
      CAFFE_SIMD
      for (int j = 0; j < in_w; ++j) {
        high[j] += weight * row[j];
      }
    }
  });
}

#ifdef CPU_ONLY
STUB_GPU(InterpLayer);
#endif

INSTANTIATE_CLASS(InterpLayer);
REGISTER_LAYER_CLASS(Interp);

}  // namespace caffe
