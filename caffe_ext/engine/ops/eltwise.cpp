#include "engine/ops/eltwise.hpp"

#include <algorithm>
#include <cmath>

#include "caffe/common.hpp"
#include "engine/kernels/activation.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

const int kPiece = 4096;  // values that a thread takes at a time

// f(begin, end) over [0, count) in pieces.
template <typename F>
void InPieces(size_t count, const F& f) {
  Parallel((count + kPiece - 1) / kPiece, [&](int i) {
    const size_t begin = static_cast<size_t>(i) * kPiece;
    f(begin, std::min(count, begin + kPiece));
  });
}

}  // namespace

void Sum::InferShapes() {
  for (const Value* input : inputs) {
    CHECK(input->shape == inputs[0]->shape) << "a sum of " << inputs[0]->name
        << " and " << input->name << ", whose shapes differ";
  }
  outputs[0]->shape = inputs[0]->shape;
}

std::unique_ptr<Step> Sum::MakeStep() {
  const size_t count = outputs[0]->count();
  const std::vector<float> c = coefficients;
  const Activation activation(relu, negative_slope);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    InPieces(count, [&](size_t begin, size_t end) {
      // In place of inputs[0] alone, which is read first.
      float* y = buffers.outputs[0];
      const float* x0 = buffers.inputs[0];
      const float* x1 = buffers.inputs[1];
      const float c0 = c[0], c1 = c[1];
      for (size_t i = begin; i < end; ++i) { y[i] = c0 * x0[i] + c1 * x1[i]; }
      for (size_t k = 2; k < c.size(); ++k) {
        const float* x = buffers.inputs[k];
        const float factor = c[k];
        for (size_t i = begin; i < end; ++i) { y[i] += factor * x[i]; }
      }
      for (size_t i = begin; i < end; ++i) { y[i] = activation(y[i]); }
    });
  }));
}

void Gate::InferShapes() {
  const std::vector<int>& x = inputs[0]->shape;
  CHECK_GE(x.size(), 2);
  CHECK_EQ(inputs[1]->count(), x[0] * x[1]) << inputs[1]->name
      << " has a factor for each image and channel of " << inputs[0]->name;
  if (inputs.size() > 2) {
    CHECK(inputs[2]->shape == x) << inputs[2]->name;
  }
  outputs[0]->shape = x;
}

std::unique_ptr<Step> Gate::MakeStep() {
  const std::vector<int>& shape = inputs[0]->shape;
  const int channels = shape[1];
  const bool last = inputs[0]->ChannelsNeighbour();
  const int positions = inputs[0]->count() / (shape[0] * channels);
  const bool adds = inputs.size() > 2;
  const Activation activation(relu, negative_slope);
  const int row = last ? channels : positions;
  const int rows = inputs[0]->count() / row;
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Parallel(rows, [&](int i) {
      const size_t at = static_cast<size_t>(i) * row;
      const float* x = buffers.inputs[0] + at;
      const float* gate = buffers.inputs[1] +
          (last ? static_cast<size_t>(i / positions) * channels : i);
      const float* add = adds ? buffers.inputs[2] + at : NULL;
      float* y = buffers.outputs[0] + at;
      for (int j = 0; j < row; ++j) {
        const float product = gate[last ? j : 0] * x[j];
        y[j] = activation(add ? product + add[j] : product);
      }
    });
  }));
}

std::unique_ptr<Step> Sigmoid::MakeStep() {
  const size_t count = outputs[0]->count();
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const float* x = buffers.inputs[0];
    float* y = buffers.outputs[0];
    InPieces(count, [=](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        // As Caffe's, which does not overflow.
        y[i] = 0.5f * std::tanh(0.5f * x[i]) + 0.5f;
      }
    });
  }));
}

}  // namespace engine
}  // namespace caffe
