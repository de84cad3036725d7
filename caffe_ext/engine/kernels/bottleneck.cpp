#include "engine/kernels/bottleneck.hpp"

#include "engine/kernels/activation.hpp"

namespace caffe {
namespace engine {

namespace {

float Dot(const float* a, const float* b, int n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }
  return sum;
}

}  // namespace

Bottleneck::Bottleneck(const Convolution& reduce, const Convolution& expand)
    : reduce_(reduce.weights->Plain()), reduce_bias_(reduce.bias),
      expand_(expand.weights->count), expand_bias_(expand.bias),
      negative_slope_(reduce.relu ? reduce.negative_slope : 1) {
  const std::vector<float> rows = expand.weights->Plain();
  const size_t hidden = reduce_bias_.size(), outputs = expand_bias_.size();
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t h = 0; h < hidden; ++h) {
      expand_[h * outputs + o] = rows[o * hidden + h];
    }
  }
}

bool Bottleneck::Fits(const Convolution& op) {
  return op.kernel[0] == 1 && op.kernel[1] == 1 && op.group == 1 &&
      op.stride[0] == 1 && op.stride[1] == 1 && op.pad[0] == 0 &&
      op.pad[1] == 0 && op.inputs.size() == 1;
}

void Bottleneck::Add(const float* x, float* y) const {
  const int hidden = reduce_bias_.size(), outputs = expand_bias_.size();
  const Activation activation(true, negative_slope_);
  for (int h = 0; h < hidden; ++h) {
    const float value = activation(reduce_bias_[h] +
        Dot(x, &reduce_[static_cast<size_t>(h) * channels()], channels()));
    const float* weights = &expand_[static_cast<size_t>(h) * outputs];
#pragma omp simd
    for (int o = 0; o < outputs; ++o) { y[o] += value * weights[o]; }
  }
}

}  // namespace engine
}  // namespace caffe
