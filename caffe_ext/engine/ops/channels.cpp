#include "engine/ops/channels.hpp"

#include <algorithm>
#include <numeric>

#include "caffe/common.hpp"
#include "engine/kernels/exp.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// The channels of one position in turn, wherever they lie.
struct Positions {
  explicit Positions(const Value& value)
      : channels(value.shape[1]), count(value.count() / channels),
        inner(value.ChannelsNeighbour() ? 1 : count / value.shape[0]) {}
  size_t first(int position) const {
    return static_cast<size_t>(position / inner) * channels * inner +
        position % inner;
  }
  int channels, count;
  int inner;  // positions whose channels lie between each other: the step
};

// NaN wins.
inline float Greater(float a, float b) { return b > a || b != b ? b : a; }

float Greatest(const float* x, int count, size_t step) {
  const int kLanes = 8;  // maxima of every eighth, for one vector
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, x[0]);
  int i = 0;
  if (step == 1) {
    for (; i + kLanes <= count; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) {
        lanes[j] = Greater(lanes[j], x[i + j]);
      }
    }
  }
  for (; i < count; ++i) { lanes[0] = Greater(lanes[0], x[i * step]); }
  return std::accumulate(lanes, lanes + kLanes, lanes[0], Greater);
}

}  // namespace

std::unique_ptr<Step> Softmax::MakeStep() {
  const Positions positions(*inputs[0]);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(positions.count, [&](int i) {
      const size_t step = positions.inner;
      const int channels = positions.channels;
      const float* x = buffers.input(0) + positions.first(i);
      float* y = buffers.output(0) + positions.first(i);
      const float greatest = Greatest(x, channels, step);
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int c = 0; c < channels; ++c) {
        sum += y[c * step] = Exp(x[c * step] - greatest);
      }
      for (int c = 0; c < channels; ++c) { y[c * step] /= sum; }
    });
  }));
}

void ChannelPooling::InferShapes() {
  std::vector<int> shape = inputs[0]->shape;
  CHECK_GT(shape.size(), 1) << "axes of " << inputs[0]->name;
  shape[1] = 1;
  outputs[0]->shape = shape;
}

std::unique_ptr<Step> ChannelPooling::MakeStep() {
  const Positions positions(*inputs[0]);
  const bool maximum = this->maximum;
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(positions.count, [&](int i) {
      const size_t step = positions.inner;
      const int channels = positions.channels;
      const float* x = buffers.input(0) + positions.first(i);
      float result = 0;
      if (maximum) {
        result = Greatest(x, channels, step);
      } else {
#pragma omp simd reduction(+ : result)
        for (int c = 0; c < channels; ++c) { result += x[c * step]; }
        result /= channels;
      }
      buffers.output(0)[i] = result;
    });
  }));
}

}  // namespace engine
}  // namespace caffe
