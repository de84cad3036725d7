#include "caffe/util/limits.hpp"

#include <atomic>
#include <climits>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

int CheckedInt(int64_t value) {
  CHECK(value >= INT_MIN && value <= INT_MAX)
      << "the size " << value << " exceeds INT_MAX";
  return value;
}

int CheckedProduct(int64_t a, int64_t b) {
  CHECK(a >= 0 && b >= 0) << "a negative size: " << a << " * " << b;
  CHECK(b == 0 || a <= INT_MAX / b)
      << "the size " << a << " * " << b << " exceeds INT_MAX";
  return a * b;
}

vector<int> CheckedDims(const BlobShape& shape) {
  vector<int> dims;
  for (int64_t dim : shape.dim()) {
    dims.push_back(CheckedInt(dim));
  }
  return dims;
}

namespace {

string ShapeString(const vector<int>& shape) {
  ostringstream text;
  for (size_t i = 0; i < shape.size(); ++i) {
    text << (i ? " x " : "") << shape[i];
  }
  return text.str();
}

}  // namespace

int CheckedCount(const vector<int>& shape) {
  CHECK_LE(shape.size(), kMaxBlobAxes) << "axes of a blob";
  int count = 1;
  bool empty = false;
  for (int dim : shape) {
    CHECK_GE(dim, 0) << "a dimension of the shape " << ShapeString(shape);
    if (dim == 0) {
      empty = true;
      continue;
    }
    CHECK_LE(dim, INT_MAX / count)
        << "the shape " << ShapeString(shape) << ": blob size exceeds INT_MAX";
    count *= dim;
  }
  return empty ? 0 : count;
}

int CheckedIndex(int index, int count) {
  if (!IsIndex(index, count)) {
    LOG(FATAL) << "the label or index " << index << " is out of range: expected "
        << "0 to " << count - 1;
  }
  return index;
}

template <typename Dtype>
void CheckLabels(Dtype result, const Blob<Dtype>& labels, int count,
    bool has_ignore_label, int ignore_label) {
  if (!std::isnan(result)) { return; }
  for (int i = 0; i < labels.count(); ++i) {
    const int label = ToInt(labels.cpu_data()[i]);
    if (!has_ignore_label || label != ignore_label) {
      CheckedIndex(label, count);
    }
  }
}

template void CheckLabels(float result, const Blob<float>& labels, int count,
    bool has_ignore_label, int ignore_label);
template void CheckLabels(double result, const Blob<double>& labels, int count,
    bool has_ignore_label, int ignore_label);

void CheckWindow(int kernel, int stride, int pad, int dilation) {
  const int kMost = 1 << 28;
  if (kernel <= 0 || kernel > kMost || stride <= 0 || stride > kMost ||
      pad < 0 || dilation < 0 || dilation > kMost) {
    LOG(FATAL) << "expected kernel and stride from 1, pad and dilation from 0 to "
        << kMost << ", found " << kernel << ", " << stride << ", " << pad
        << " and " << dilation;
  }
  CheckedInt(kMost + 2 * int64_t(pad));  // with the image between them
}

void CheckSameShape(const vector<int>& before, const vector<int>& after) {
  CHECK(before == after) << "cannot be computed in place: the shape "
      << ShapeString(before) << " would become " << ShapeString(after);
}

template <typename Dtype>
void CheckDivisors(const LayerParameter& layer,
    const vector<Blob<Dtype>*>& bottom) {
  static const std::set<string> kDividing = {"Accuracy", "ArgMax", "BatchNorm",
      "BatchReindex", "Filter", "HDF5Output", "HingeLoss", "InfogainLoss",
      "MultinomialLogisticLoss", "MVN", "Softmax", "SoftmaxWithLoss"};
  for (size_t i = 0; i < bottom.size(); ++i) {
    if (bottom[i]->count() == 0 && kDividing.count(layer.type())) {
      LOG(FATAL) << "bottom " << i << " is empty: its shape is "
          << ShapeString(bottom[i]->shape());
    }
  }
}
template void CheckDivisors(const LayerParameter&, const vector<Blob<float>*>&);
template void CheckDivisors(const LayerParameter&,
    const vector<Blob<double>*>&);

// ---- memory

namespace {

std::atomic<size_t> memory_limit(0), memory_in_use(0);

}  // namespace

void SetMemoryLimit(size_t bytes) { memory_limit = bytes; }
size_t MemoryLimit() { return memory_limit; }
size_t MemoryInUse() { return memory_in_use; }

void MemoryShare::Take(size_t bytes) {
  Release();
  const size_t limit = memory_limit;
  size_t before = memory_in_use;
  do {
    CHECK(limit == 0 || (bytes <= limit && before <= limit - bytes))
        << "a blob of " << bytes << " bytes exceeds the memory limit of "
        << limit << " bytes, of which " << before << " are in use";
  } while (!memory_in_use.compare_exchange_weak(before, before + bytes));
  bytes_ = bytes;
}

void MemoryShare::Release() {
  memory_in_use -= bytes_;
  bytes_ = 0;
}

}  // namespace caffe
