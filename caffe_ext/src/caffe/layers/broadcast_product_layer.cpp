#include <algorithm>
#include <vector>

#include "caffe/layers/broadcast_product_layer.hpp"
#include "caffe/util/parallel_for.hpp"

namespace caffe {

namespace {

// Sets of arrays, as bits: the bottoms, and the top, which has all their axes.
enum { kA = 1, kB = 2, kTop = kA | kB };

struct SharedAxis {
  int size;
  int owners;  // the bottoms that have it, the other's size being 1
};

// The axes of A and B, adjacent ones of the same owners taken together: they
// are one axis to a loop. An axis of size 1 joins any.
vector<SharedAxis> Collapse(const vector<int>& a, const vector<int>& b) {
  vector<SharedAxis> axes(1, {1, kTop});
  for (int i = 0; i < a.size(); ++i) {
    const SharedAxis axis = {a[i] == 1 ? b[i] : a[i],
        a[i] == b[i] ? kTop : a[i] == 1 ? kB : kA};
    if (axes.back().size == 1) {
      axes.back() = axis;
    } else if (axis.size == 1 || axis.owners == axes.back().owners) {
      axes.back().size *= axis.size;
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

BroadcastSum Walk(const vector<SharedAxis>& axes, int x, int y, int out) {
  BroadcastSum walk = {};
  walk.kept.count = walk.summed.count = 1;
  int x_step = 1, y_step = 1;
  for (int i = axes.size() - 1; i >= 0; --i) {
    const int size = axes[i].size;
    const bool in_x = axes[i].owners & x, in_y = axes[i].owners & y;
    const BroadcastSum::Axis axis = {size, in_x * x_step, in_y * y_step};
    x_step *= in_x ? size : 1;
    y_step *= in_y ? size : 1;
    const bool kept = axes[i].owners & out;
    if (i == axes.size() - 1) {
      walk.row = axis;
      walk.row_kept = kept;
    } else {
      BroadcastSum::Axes& to = kept ? walk.kept : walk.summed;
      to.axes[to.num++] = axis;
      to.count *= size;
    }
  }
  return walk;
}

template <typename Dtype>
void SumOfRows(const BroadcastSum& walk, const Dtype* x, const Dtype* y,
    Dtype* out) {
  const BroadcastSum::Axis row = walk.row;
  // Long rows in parts: for the threads, and so that sums stay in the cache.
  const int kPart = 512;
  const int parts = (row.size + kPart - 1) / kPart;
  ParallelFor(walk.kept.count * parts,
      walk.summed.count * std::min(row.size, kPart), [=, &walk](int i) {
    const int begin = i % parts * kPart;
    const int length = std::min(kPart, row.size - begin);
    const Dtype* x_begin = x + begin * row.x;
    const Dtype* y_begin = y + begin * row.y;
    walk.kept.Move(i / parts, &x_begin, &y_begin);
    Dtype* sum = out + i / parts * row.size + begin;
    std::fill(sum, sum + length, Dtype(0));
    for (int j = 0; j < walk.summed.count; ++j) {
      const Dtype* v = x_begin;
      const Dtype* w = y_begin;
      walk.summed.Move(j, &v, &w);
      if (row.x && row.y) {
        CAFFE_SIMD
        for (int k = 0; k < length; ++k) {
          sum[k] += v[k] * w[k];
        }
      } else {
        const Dtype factor = row.x ? *w : *v;
        const Dtype* values = row.x ? v : w;
        CAFFE_SIMD
        for (int k = 0; k < length; ++k) {
          sum[k] += factor * values[k];
        }
      }
    }
  });
}

// A row that is summed over is both x's and y's: dC has every axis, and the
// one that a bottom lacks is the other's.
template <typename Dtype>
void SumAlongRows(const BroadcastSum& walk, const Dtype* x, const Dtype* y,
    Dtype* out) {
  const int length = walk.row.size;
  ParallelFor(walk.kept.count, walk.summed.count * length,
      [=, &walk](int i) {
    const Dtype* x_begin = x;
    const Dtype* y_begin = y;
    walk.kept.Move(i, &x_begin, &y_begin);
    double sum = 0;
    for (int j = 0; j < walk.summed.count; ++j) {
      const Dtype* v = x_begin;
      const Dtype* w = y_begin;
      walk.summed.Move(j, &v, &w);
      CAFFE_SIMD_SUM(sum)
      for (int k = 0; k < length; ++k) {
        sum += v[k] * w[k];
      }
    }
    out[i] = sum;
  });
}

}  // namespace

template <typename Dtype>
void BroadcastProductLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom,
    const vector<Blob<Dtype>*>& top) {
  const vector<int>& a = bottom[0]->shape();
  const vector<int>& b = bottom[1]->shape();
  const string& name = this->layer_param_.name();
  bool fit = a.size() == b.size();
  for (int i = 0; fit && i < a.size(); ++i) {
    fit = a[i] == b[i] || a[i] == 1 || b[i] == 1;
  }
  CHECK(fit) << "BroadcastProduct layer '" << name << "': bottom[0] is "
      << bottom[0]->shape_string() << " and bottom[1] "
      << bottom[1]->shape_string() << "; expected equally many axes, each of "
      << "one size in both or 1 in one of them";
  CHECK(top[0] != bottom[0] && top[0] != bottom[1]) << "BroadcastProduct layer "
      << "'" << name << "': cannot be computed in place, since backward needs "
      << "both bottoms";
  vector<int> shape(a);
  for (int i = 0; i < a.size(); ++i) {
    shape[i] = a[i] == 1 ? b[i] : a[i];
  }
  top[0]->Reshape(shape);
  const vector<SharedAxis> axes = Collapse(a, b);
  product_ = Walk(axes, kA, kB, kTop);
  gradient_[0] = Walk(axes, kTop, kB, kA);
  gradient_[1] = Walk(axes, kTop, kA, kB);
}

template <typename Dtype>
void BroadcastProductLayer<Dtype>::Forward_cpu(
    const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  SumOfRows(product_, bottom[0]->cpu_data(), bottom[1]->cpu_data(),
      top[0]->mutable_cpu_data());
}

template <typename Dtype>
void BroadcastProductLayer<Dtype>::Backward_cpu(
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom) {
  for (int i = 0; i < 2; ++i) {
    if (propagate_down[i]) {
      (gradient_[i].row_kept ? SumOfRows<Dtype> : SumAlongRows<Dtype>)(
          gradient_[i], top[0]->cpu_diff(), bottom[1 - i]->cpu_data(),
          bottom[i]->mutable_cpu_diff());
    }
  }
}

#ifdef CPU_ONLY
STUB_GPU(BroadcastProductLayer);
#endif

INSTANTIATE_CLASS(BroadcastProductLayer);
REGISTER_LAYER_CLASS(BroadcastProduct);

}  // namespace caffe
