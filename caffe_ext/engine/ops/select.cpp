#include "engine/ops/select.hpp"

#include <algorithm>
#include <type_traits>

#include "engine/bfloat16.hpp"
#include "engine/kernels/exp.hpp"
#include "engine/kernels/grouped_3x3.hpp"
#include "engine/kernels/weighted_sum.hpp"
#include "engine/onednn.hpp"
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

template <typename T>
class SelectStep : public Step {
 public:
  explicit SelectStep(const Select& op)
      : attention_(op.attention), batch_(op.inputs[0]->shape[0]),
        channels_(op.inputs[0]->shape[1]), branches_(op.inputs.size() - 1),
        rows_(branches_ * channels_),
        positions_(op.outputs[0]->count() / (batch_ * channels_)),
        of_bf16_(HasBF16() && channels_ % 16 == 0 ? WeightedSumAvx512BF16() : NULL) {}

  virtual void Run(const Buffers& buffers) {
    // Too little to share out: a thread for an image.
    Parallel(batch_, [&](int n) {
      Attention(buffers.input(0) + n * channels_, buffers.scratch + n * rows_);
    });
    Parallel(batch_ * positions_, [&](int i) {
      const float* weights = buffers.scratch + i / positions_ * rows_;
      const size_t at = static_cast<size_t>(i) * channels_;
      const T *a = buffers.input<T>(1) + at, *b = buffers.input<T>(2) + at;
      T* y = buffers.output<T>(0) + at;  // a's memory, maybe
      if (branches_ == 2) {
        if constexpr (std::is_same<T, BFloat16>::value) {
          if (of_bf16_) {
            of_bf16_(weights, a, b, channels_, y);
            return;
          }
        }
#pragma omp simd
        for (int c = 0; c < channels_; ++c) {
          y[c] = weights[c] * a[c] + weights[channels_ + c] * b[c];
        }
        return;
      }
      for (int first = 0; first < channels_; first += kBlock) {
        const int end = std::min(channels_, first + kBlock);
        float sum[kBlock] = {0};
        for (int k = 0; k < branches_; ++k) {
          const float* w = weights + k * channels_;
          const T* x = buffers.input<T>(1 + k) + at;
#pragma omp simd
          for (int c = first; c < end; ++c) { sum[c - first] += w[c] * x[c]; }
        }
#pragma omp simd
        for (int c = first; c < end; ++c) { y[c] = sum[c - first]; }
      }
    });
  }

  virtual size_t ScratchFloats() const {
    return static_cast<size_t>(batch_) * rows_;
  }

 private:
  // Of one image: branches x channels.
  void Attention(const float* mean, float* attention) const {
    std::copy(attention_.bias().begin(), attention_.bias().end(), attention);
    attention_.Add(mean, attention);
    // Softmax over the branches.
    for (int first = 0; first < channels_; first += kBlock) {
      const int count = std::min(channels_ - first, kBlock);
      float greatest[kBlock], sum[kBlock] = {0};
      std::copy_n(attention + first, count, greatest);
      for (int k = 1; k < branches_; ++k) {
        const float* values = attention + k * channels_ + first;
#pragma omp simd
        for (int c = 0; c < count; ++c) {
          greatest[c] = std::max(greatest[c], values[c]);
        }
      }
      for (int k = 0; k < branches_; ++k) {
        float* values = attention + k * channels_ + first;
#pragma omp simd
        for (int c = 0; c < count; ++c) {
          values[c] = Exp(values[c] - greatest[c]);
          sum[c] += values[c];
        }
      }
      for (int k = 0; k < branches_; ++k) {
        float* values = attention + k * channels_ + first;
#pragma omp simd
        for (int c = 0; c < count; ++c) { values[c] /= sum[c]; }
      }
    }
  }

  static constexpr int kBlock = 64;  // channels whose sums stay in the cache

  const Bottleneck& attention_;
  const int batch_, channels_, branches_;
  const int rows_;  // of attention: branches x channels
  const int positions_;
  WeightedSum* const of_bf16_;  // or null
};

}  // namespace

std::unique_ptr<Step> Select::MakeStep() {
  return ForType(inputs[1]->type, [&](auto number) {
    return std::unique_ptr<Step>(new SelectStep<decltype(number)>(*this));
  });
}

}  // namespace engine
}  // namespace caffe
