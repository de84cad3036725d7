#ifndef CAFFE_ENGINE_KERNELS_ACTIVATION_HPP_
#define CAFFE_ENGINE_KERNELS_ACTIVATION_HPP_

namespace caffe {
namespace engine {

/// @brief ReLU with its slope for negative values, or nothing. NaN stays NaN.
class Activation {
 public:
  Activation(bool relu, float negative_slope)
      : slope_(relu ? negative_slope : 1) {}
  float operator()(float x) const { return x > 0 ? x : slope_ * x; }

 private:
  float slope_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_ACTIVATION_HPP_
