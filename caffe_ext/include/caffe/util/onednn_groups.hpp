#ifndef CAFFE_UTIL_ONEDNN_GROUPS_HPP_
#define CAFFE_UTIL_ONEDNN_GROUPS_HPP_

#include <algorithm>
#include <cstring>

#include "caffe/util/onednn_convolution.hpp"
#include "caffe/util/onednn_workspace.hpp"

namespace caffe {
namespace onednn {

/// @brief Groups of few channels, several as one: its weights are theirs along the
///        diagonal, and zeros elsewhere.
class MergedGroups {
 public:
  explicit MergedGroups(const ConvolutionShape& s) : merged_(1),
      groups_(s.groups), outputs_(s.outputs / s.groups),
      channels_(s.channels / s.groups), area_(s.kernel[0] * s.kernel[1]) {
    const int kVector = 8;  // numbers, with AVX2
    const bool depthwise = outputs_ == 1 && channels_ == 1;
    while (groups_ > 1 && !depthwise && merged_ < 4 &&
           groups_ % (2 * merged_) == 0 && (merged_ * channels_ % kVector ||
                                            merged_ * outputs_ % kVector)) {
      merged_ *= 2;
    }
    if (merged_ * channels_ % kVector || merged_ * outputs_ % kVector) {
      merged_ = 1;
    }
    dims_ = {merged_ * outputs_, merged_ * channels_, s.kernel[0], s.kernel[1]};
    if (groups_ > 1) {
      dims_.insert(dims_.begin(), groups_ / merged_);
    }
  }

  /// @brief Of the weights, as oneDNN gets them.
  const dnnl::memory::dims& dims() const { return dims_; }
  size_t Need() const {
    return merged_ > 1 ? Workspace::Need(Plain(dims_)) : 0;
  }

  const float* Merge(const float* weights, Workspace* space) const {
    if (merged_ == 1) {
      return weights;
    }
    float* merged = Zeros(space);
    ForEachRow([=](size_t from, size_t to, size_t length) {
      std::copy_n(weights + from, length, merged + to);
    });
    return merged;
  }

  /// @brief Where gradients are to be added: to what Split adds to dw, or to dw
  ///        itself.
  float* Sum(float* dw, Workspace* space) const {
    return merged_ == 1 ? dw : Zeros(space);
  }

  void Split(const float* sum, float* dw) const {
    if (merged_ > 1) {
      ForEachRow([=](size_t to, size_t from, size_t length) {
        for (size_t i = 0; i < length; ++i) { dw[to + i] += sum[from + i]; }
      });
    }
  }

 private:
  float* Zeros(Workspace* space) const {
    dnnl::memory zeros = space->Take(Plain(dims_));
    std::memset(zeros.get_data_handle(), 0, zeros.get_desc().get_size());
    return static_cast<float*>(zeros.get_data_handle());
  }

  // f(begin in the weights, begin in the merged ones, length) for each output.
  template <typename F>
  void ForEachRow(const F& f) const {
    const size_t length = static_cast<size_t>(channels_) * area_;
    for (int o = 0; o < groups_ * outputs_; ++o) {
      f(o * length, (o * merged_ + o / outputs_ % merged_) * length, length);
    }
  }

  int merged_, groups_, outputs_, channels_, area_;
  dnnl::memory::dims dims_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_UTIL_ONEDNN_GROUPS_HPP_
