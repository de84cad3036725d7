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

/// @brief y[i] = activation(f(i)); f may read y's memory at the same place.
///
/// By value, all of it: what a closure refers to may be y, to a compiler, which
/// then vectorises nothing.
template <typename F, typename T>
inline void Apply(const F f, const Activation activation, T* y,
                  const int count) {
#pragma omp simd
  for (int i = 0; i < count; ++i) { y[i] = activation(f(i)); }
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_ACTIVATION_HPP_
