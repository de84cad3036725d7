#ifndef CAFFE_ENGINE_KERNELS_BOTTLENECK_HPP_
#define CAFFE_ENGINE_KERNELS_BOTTLENECK_HPP_

#include <vector>

#include "engine/ops/convolution.hpp"

namespace caffe {
namespace engine {

/// @brief expand * activation(reduce * x + bias) + bias of a vector x, with few
///        numbers in between: too little work to be worth a primitive or threads.
class Bottleneck {
 public:
  Bottleneck() {}
  /// @brief From two 1x1 convolutions, whose weights it takes over.
  Bottleneck(const Convolution& reduce, const Convolution& expand);

  /// @brief Whether a convolution is a matrix times each position's channels.
  static bool Fits(const Convolution& op);

  /// @brief The last bias, which Add leaves out.
  const std::vector<float>& bias() const { return expand_bias_; }
  /// @brief y += all but the last bias, of a vector x.
  void Add(const float* x, float* y) const;
  int channels() const { return reduce_.size() / reduce_bias_.size(); }  // of x
  const std::vector<float>& reduce() const { return reduce_; }
  const std::vector<float>& reduce_bias() const { return reduce_bias_; }
  const std::vector<float>& expand() const { return expand_; }
  float negative_slope() const { return negative_slope_; }
  double multiply_adds() const { return reduce_.size() + expand_.size(); }

 private:
  std::vector<float> reduce_, reduce_bias_;  // hidden x channels, hidden
  std::vector<float> expand_, expand_bias_;  // hidden x outputs, outputs
  float negative_slope_;                     // 1: no activation
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_BOTTLENECK_HPP_
