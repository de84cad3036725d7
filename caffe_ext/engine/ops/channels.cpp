#include "engine/ops/channels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "caffe/common.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// A value as rows of neighbouring numbers: in channels-last memory a row has
// the channels of one position, else all there is of one image.
struct Rows {
  explicit Rows(const Value& value) {
    const bool last = value.channels_last && value.shape.size() == 4;
    count = last ? value.count() / value.shape[1] : value.shape[0];
    width = value.count() / count;
  }
  size_t count, width;
};

void CheckAlike(const Value& a, const Value& b) {
  bool alike = a.shape.size() == b.shape.size() && a.shape.size() > 1;
  for (size_t i = 0; alike && i < a.shape.size(); ++i) {
    alike = i == 1 || a.shape[i] == b.shape[i];
  }
  CHECK(alike) << "shapes of " << a.name << " and " << b.name
      << " differ in more than the channels";
}

}  // namespace

void Concat::InferShapes() {
  std::vector<int> shape = inputs[0]->shape;
  shape[1] = 0;
  for (const Value* input : inputs) {
    CheckAlike(*inputs[0], *input);
    shape[1] += input->shape[1];
  }
  outputs[0]->shape = shape;
}

std::unique_ptr<Step> Concat::MakeStep() {
  std::vector<size_t> widths;
  for (const Value* input : inputs) {
    widths.push_back(Rows(*input).width);
  }
  const Rows rows(*outputs[0]);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(rows.count, [&](int i) {
      float* out = buffers.outputs[0] + i * rows.width;
      for (size_t k = 0; k < widths.size(); ++k) {
        std::memcpy(out, buffers.inputs[k] + i * widths[k],
                    widths[k] * sizeof(float));
        out += widths[k];
      }
    });
  }));
}

void Slice::InferShapes() {
  std::vector<int> shape = inputs[0]->shape;
  CHECK_GT(shape.size(), 1);
  const int channels = shape[1], parts = outputs.size();
  CHECK(!points.empty() || channels % parts == 0) << "a slice of " << channels
      << " channels in " << parts;
  int begin = 0;
  for (int i = 0; i < parts; ++i) {
    const int end = points.empty() ? channels / parts * (i + 1) :
        i + 1 < parts ? points[i] : channels;
    CHECK_GT(end, begin) << "a slice without channels";
    shape[1] = end - begin;
    outputs[i]->shape = shape;
    begin = end;
  }
}

std::unique_ptr<Step> Slice::MakeStep() {
  std::vector<size_t> widths;
  for (const Value* output : outputs) {
    widths.push_back(Rows(*output).width);
  }
  const Rows rows(*inputs[0]);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(rows.count, [&](int i) {
      const float* in = buffers.inputs[0] + i * rows.width;
      for (size_t k = 0; k < widths.size(); ++k) {
        std::memcpy(buffers.outputs[k] + i * widths[k], in,
                    widths[k] * sizeof(float));
        in += widths[k];
      }
    });
  }));
}

std::unique_ptr<Step> Softmax::MakeStep() {
  // Of memory in Caffe's order, positions apart.
  const std::vector<int>& shape = inputs[0]->shape;
  const bool last = inputs[0]->ChannelsNeighbour();
  const int channels = shape[1];
  const int positions = inputs[0]->count() / (shape[0] * channels);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(shape[0] * positions, [&](int i) {
      const size_t step = last ? 1 : positions;
      const size_t at = last ? static_cast<size_t>(i) * channels :
          static_cast<size_t>(i / positions) * channels * positions +
          i % positions;
      const float* x = buffers.inputs[0] + at;
      float* y = buffers.outputs[0] + at;
      float greatest = x[0];
      for (int c = 1; c < channels; ++c) {
        greatest = std::max(greatest, x[c * step]);
      }
      float sum = 0;
      for (int c = 0; c < channels; ++c) {
        sum += y[c * step] = std::exp(x[c * step] - greatest);
      }
      for (int c = 0; c < channels; ++c) { y[c * step] /= sum; }
    });
  }));
}

}  // namespace engine
}  // namespace caffe
