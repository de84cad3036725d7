#include "engine/ops/excitation.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "caffe/common.hpp"
#include "engine/kernels/exp.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

void Excitation::InferShapes() {
  CHECK_EQ(inputs[0]->shape[1], gate.channels()) << "channels of "
      << inputs[0]->name;
  outputs[0]->shape = {inputs[0]->shape[0], static_cast<int>(gate.bias().size()), 1,
                       1};
}

std::unique_ptr<Step> Excitation::MakeStep() {
  const int channels = inputs[0]->shape[1], vectors = inputs[0]->shape[2];
  const int batch = inputs[0]->shape[0];
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(batch, [&](int n) {
      const std::vector<float>& bias = gate.bias();
      const int outputs = bias.size();
      const float* x =
          buffers.input(0) + static_cast<size_t>(n) * vectors * channels;
      float* y = buffers.output(0) + static_cast<size_t>(n) * outputs;
      std::fill_n(y, outputs, 0.f);
      for (int i = 0; i < vectors; ++i) {
        std::transform(y, y + outputs, bias.begin(), y, std::plus<float>());
        gate.Add(x + static_cast<size_t>(i) * channels, y);
      }
#pragma omp simd
      for (int o = 0; o < outputs; ++o) { y[o] = 1 / (1 + Exp(-y[o])); }
    });
  }));
}

}  // namespace engine
}  // namespace caffe
