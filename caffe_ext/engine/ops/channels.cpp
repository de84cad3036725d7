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
  const int kLanes = 32;  // maxima of each such, for four vectors at a time
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

float Sum(const float* x, int count, size_t step) {
  float sum = 0;
  if (step == 1) {  // known to the compiler, which loads vectors then
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < count; ++i) { sum += x[i]; }
    return sum;
  }
  for (int i = 0; i < count; ++i) { sum += x[i * step]; }
  return sum;
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
      buffers.output(0)[i] = maximum ? Greatest(x, channels, step) :
          Sum(x, channels, step) / channels;
    });
  }));
}

}  // namespace engine
}  // namespace caffe
