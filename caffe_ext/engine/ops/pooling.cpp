#include "engine/ops/pooling.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "caffe/common.hpp"
#include "engine/bfloat16.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

int OutputSize(int size, int kernel, int stride, int pad, bool ceil,
               bool any_pad) {
  const float windows = static_cast<float>(size + 2 * pad - kernel) / stride;
  int out = static_cast<int>(ceil ? std::ceil(windows) : std::floor(windows)) +
      1;
  // The last window starts within the image, or on its near padding.
  if (any_pad && (out - 1) * stride >= size + pad) {
    --out;
  }
  return out;
}

const int kBlock = 64;  // channels that are taken at a time

template <typename T>
class PoolingStep : public Step {
 public:
  explicit PoolingStep(const Pooling& op)
      : maximum_(op.maximum), channels_(op.inputs[0]->shape[1]),
        batch_(op.inputs[0]->shape[0]) {
    for (int i = 0; i < 2; ++i) {
      in_[i] = op.inputs[0]->shape[2 + i];
      out_[i] = op.outputs[0]->shape[2 + i];
      kernel_[i] = op.global ? in_[i] : op.kernel[i];
      stride_[i] = op.stride[i];
      pad_[i] = op.pad[i];
    }
  }

  virtual void Run(const Buffers& buffers) {
    const size_t image = static_cast<size_t>(in_[0]) * in_[1] * channels_;
    Parallel(batch_ * out_[0], [&](int i) {
      const int n = i / out_[0], row = i % out_[0];
      for (int column = 0; column < out_[1]; ++column) {
        Window(buffers.input<T>(0) + n * image, row, column,
               buffers.output<T>(0) + (static_cast<size_t>(i) * out_[1] +
                                       column) * channels_);
      }
    });
  }

 private:
  void Window(const T* image, int row, int column, T* out) const {
    const int at[2] = {row, column};
    int begin[2], end[2], area = 1;
    for (int i = 0; i < 2; ++i) {
      const int start = at[i] * stride_[i] - pad_[i];
      end[i] = std::min(start + kernel_[i], in_[i] + pad_[i]);
      area *= end[i] - start;
      begin[i] = std::max(start, 0);
      end[i] = std::min(end[i], in_[i]);
    }
    for (int first = 0; first < channels_; first += kBlock) {
      const int width = std::min(kBlock, channels_ - first);
      float result[kBlock];
      std::fill_n(result, width, maximum_ ? -INFINITY : 0);
      for (int y = begin[0]; y < end[0]; ++y) {
        for (int x = begin[1]; x < end[1]; ++x) {
          const T* in = image +
              (static_cast<size_t>(y) * in_[1] + x) * channels_ + first;
          if (maximum_) {
            // NaN wins, as in this Caffe's layer.
            for (int c = 0; c < width; ++c) {
              const float value = in[c];
              result[c] = value > result[c] || value != value ? value :
                  result[c];
            }
          } else {
            for (int c = 0; c < width; ++c) { result[c] += in[c]; }
          }
        }
      }
      const float divisor = maximum_ ? 1 : area;
      for (int c = 0; c < width; ++c) { out[first + c] = result[c] / divisor; }
    }
  }

  const bool maximum_;
  const int channels_, batch_;
  int in_[2], out_[2], kernel_[2], stride_[2], pad_[2];
};

}  // namespace

void Pooling::InferShapes() {
  const std::vector<int>& in = inputs[0]->shape;
  CHECK_EQ(in.size(), 4) << "Pooling of " << in.size() << " axes";
  std::vector<int> out = {in[0], in[1], 1, 1};
  for (int i = 0; i < 2 && !global; ++i) {
    out[2 + i] = OutputSize(in[2 + i], kernel[i], stride[i], pad[i], ceil,
                            pad[0] || pad[1]);
    CHECK_GT(out[2 + i], 0) << "the input is smaller than the window";
  }
  outputs[0]->shape = out;
}

std::unique_ptr<Step> Pooling::MakeStep() {
  if (IsMean()) {
    MeanOfSum mean;
    mean.inputs = inputs;
    mean.outputs = outputs;
    return mean.MakeStep();
  }
  return ForType(inputs[0]->type, [&](auto number) {
    return std::unique_ptr<Step>(new PoolingStep<decltype(number)>(*this));
  });
}

void MeanOfSum::InferShapes() {
  outputs[0]->shape = {inputs[0]->shape[0], inputs[0]->shape[1], 1, 1};
}

std::unique_ptr<Step> MeanOfSum::MakeStep() {
  const int batch = inputs[0]->shape[0], channels = inputs[0]->shape[1];
  const int positions = inputs[0]->shape[2] * inputs[0]->shape[3];
  const int blocks = (channels + kBlock - 1) / kBlock;
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      Parallel(batch * blocks, [&](int i) {
        const int n = i / blocks, first = i % blocks * kBlock;
        const int width = std::min(kBlock, channels - first);
        double total[kBlock] = {0};
        for (size_t k = 0; k < buffers.inputs.size(); ++k) {
          const T* x = buffers.input<T>(k) +
              static_cast<size_t>(n) * positions * channels + first;
          for (int p = 0; p < positions; ++p, x += channels) {
            for (int c = 0; c < width; ++c) { total[c] += x[c]; }
          }
        }
        for (int c = 0; c < width; ++c) {
          buffers.output(0)[static_cast<size_t>(n) * channels + first + c] =
              total[c] / positions;
        }
      });
    }));
  });
}

}  // namespace engine
}  // namespace caffe
