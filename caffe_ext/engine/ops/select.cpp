#include "engine/ops/select.hpp"

#include <algorithm>
#include <cmath>

#include "engine/kernels/activation.hpp"
#include "engine/kernels/grouped_3x3.hpp"
#include "engine/parallel.hpp"

namespace caffe {
namespace engine {

void Branches::InferShapes() {
  for (const auto& branch : branches) {
    branch->inputs = inputs;
    branch->InferShapes();
  }
  outputs.back()->shape = {inputs[0]->shape[0], outputs[0]->shape[1], 1, 1};
}

double Branches::MultiplyAdds() const {
  double sum = 0;
  for (const auto& branch : branches) { sum += branch->MultiplyAdds(); }
  return sum;
}

std::unique_ptr<Step> Branches::MakeStep() {
  std::vector<const Convolution*> convolutions;
  for (const auto& branch : branches) { convolutions.push_back(branch.get()); }
  return MakeGrouped3x3(convolutions, *inputs[0], *outputs[0], true);
}

namespace {

float Dot(const float* a, const float* b, int n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }
  return sum;
}

class SelectStep : public Step {
 public:
  explicit SelectStep(const Select& op)
      : op_(op), activation_(true, op.negative_slope),
        batch_(op.inputs[0]->shape[0]), channels_(op.inputs[0]->shape[1]),
        hidden_(op.reduce_bias.size()), branches_(op.inputs.size() - 1),
        positions_(op.outputs[0]->count() / (batch_ * channels_)) {}

  virtual void Run(const Buffers& buffers) {
    const float* mean = buffers.inputs[0];
    float* hidden = buffers.scratch;
    float* attention = hidden + batch_ * hidden_;
    Parallel(batch_ * hidden_, [&](int i) {
      const int n = i / hidden_, unit = i % hidden_;
      hidden[i] = activation_(op_.reduce_bias[unit] +
          Dot(mean + n * channels_, &op_.reduce[unit * channels_], channels_));
    });
    Parallel(batch_ * channels_, [&](int i) {
      Softmax(hidden + i / channels_ * hidden_, i % channels_,
              attention + i / channels_ * branches_ * channels_);
    });
    Parallel(batch_ * positions_, [&](int i) {
      const float* weights =
          attention + i / positions_ * branches_ * channels_;
      const size_t at = static_cast<size_t>(i) * channels_;
      float* y = buffers.outputs[0] + at;
      const float* first = buffers.inputs[1] + at;
      for (int c = 0; c < channels_; ++c) { y[c] = weights[c] * first[c]; }
      for (int b = 1; b < branches_; ++b) {
        const float* w = weights + b * channels_;
        const float* x = buffers.inputs[1 + b] + at;
        for (int c = 0; c < channels_; ++c) { y[c] += w[c] * x[c]; }
      }
    });
  }

  virtual size_t ScratchFloats() const {
    return batch_ * (hidden_ + branches_ * channels_);
  }

 private:
  // Of one channel, over the branches.
  void Softmax(const float* hidden, int channel, float* attention) const {
    float greatest = -INFINITY, sum = 0;
    for (int b = 0; b < branches_; ++b) {
      const int row = b * channels_ + channel;
      attention[row] = op_.expand_bias[row] +
          Dot(hidden, &op_.expand[static_cast<size_t>(row) * hidden_],
              hidden_);
      greatest = std::max(greatest, attention[row]);
    }
    for (int b = 0; b < branches_; ++b) {
      float& value = attention[b * channels_ + channel];
      sum += value = std::exp(value - greatest);
    }
    for (int b = 0; b < branches_; ++b) {
      attention[b * channels_ + channel] /= sum;
    }
  }

  const Select& op_;
  const Activation activation_;
  const int batch_, channels_, hidden_, branches_, positions_;
};

}  // namespace

std::unique_ptr<Step> Select::MakeStep() {
  return std::unique_ptr<Step>(new SelectStep(*this));
}

}  // namespace engine
}  // namespace caffe
