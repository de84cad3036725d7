#include "engine/ops/interp.hpp"

#include <algorithm>
#include <cstdint>

#include "caffe/common.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// Where an output lies between two inputs of its axis.
struct Place {
  Place(int i, int in, int out) {
    const int steps = std::max(out - 1, 1);
    const int64_t place = static_cast<int64_t>(i) * (in - 1);
    low = place / steps;
    high = std::min(low + 1, in - 1);
    weight = static_cast<float>(place % steps) / steps;
  }
  int low, high;
  float weight;  // of the higher one
};

}  // namespace

void Interp::InferShapes() {
  std::vector<int> shape = inputs[0]->shape;
  CHECK_EQ(shape.size(), 4) << "axes of " << inputs[0]->name;
  for (int i = 0; i < 2; ++i) {
    shape[2 + i] = inputs.size() > 1 ? inputs[1]->shape[2 + i] :
        size[i] ? size[i] : (shape[2 + i] - 1) / shrink * zoom + 1;
  }
  outputs[0]->shape = shape;
}

std::unique_ptr<Step> Interp::MakeStep() {
  const std::vector<int> in = inputs[0]->shape, out = outputs[0]->shape;
  const int channels = in[1];
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const size_t row = static_cast<size_t>(in[3]) * channels;
    Parallel(out[0] * out[2], [&](int i) {
      const Place y(i % out[2], in[2], out[2]);
      const float* image = buffers.input(0) + i / out[2] * in[2] * row;
      float* result =
          buffers.output(0) + static_cast<size_t>(i) * out[3] * channels;
      for (int j = 0; j < out[3]; ++j, result += channels) {
        const Place x(j, in[3], out[3]);
        const float* a = image + y.low * row + x.low * channels;
        const float* b = image + y.low * row + x.high * channels;
        const float* c = image + y.high * row + x.low * channels;
        const float* d = image + y.high * row + x.high * channels;
        for (int k = 0; k < channels; ++k) {
          const float left = (1 - y.weight) * a[k] + y.weight * c[k];
          const float right = (1 - y.weight) * b[k] + y.weight * d[k];
          result[k] = (1 - x.weight) * left + x.weight * right;
        }
      }
    });
  }));
}

}  // namespace engine
}  // namespace caffe
