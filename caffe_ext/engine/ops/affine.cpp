#include "engine/ops/affine.hpp"

#include "engine/bfloat16.hpp"
#include "engine/kernels/activation.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

std::unique_ptr<Step> Affine::MakeStep() {
  const std::vector<int>& shape = inputs[0]->shape;
  const int channels = shape.size() > 1 ? shape[1] : 1;
  const std::vector<float> scales(scale.begin(), scale.end());
  const std::vector<float> shifts(shift.begin(), shift.end());
  const Activation activation(relu, negative_slope);
  const bool last = inputs[0]->ChannelsNeighbour();
  const bool per_channel = !scales.empty();
  // Rows of values that share a channel, or that run over all channels.
  const int row = last && per_channel ? channels :
      inputs[0]->count() / (per_channel ? shape[0] * channels : shape[0]);
  const int rows = inputs[0]->count() / row;
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      Parallel(rows, [&](int i) {
        const T* x = buffers.input<T>(0) + static_cast<size_t>(i) * row;
        T* y = buffers.output<T>(0) + static_cast<size_t>(i) * row;
        const float *a = scales.data(), *b = shifts.data();
        if (!per_channel) {
          Apply([=](int j) { return x[j]; }, activation, y, row);
        } else if (last) {
          Apply([=](int j) { return a[j] * x[j] + b[j]; }, activation, y, row);
        } else {
          const float scale = a[i % channels], shift = b[i % channels];
          Apply([=](int j) { return scale * x[j] + shift; }, activation, y,
                row);
        }
      });
    }));
  });
}

}  // namespace engine
}  // namespace caffe
