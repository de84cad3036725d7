#include "engine/ops/eltwise.hpp"

#include <algorithm>

#include "caffe/common.hpp"
#include "engine/bfloat16.hpp"
#include "engine/kernels/activation.hpp"
#include "engine/kernels/exp.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

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
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      InPieces(count, [&](size_t begin, size_t end) {
        // In place of inputs[0] alone, which is read first.
        const T* x0 = buffers.input<T>(0) + begin;
        const T* x1 = buffers.input<T>(1) + begin;
        const float c0 = c[0], c1 = c[1];
        T* y = buffers.output<T>(0) + begin;
        const int length = end - begin;
        const auto pair = [=](int i) { return c0 * x0[i] + c1 * x1[i]; };
        if (c.size() == 2) {
          Apply(pair, activation, y, length);
          return;
        }
        const Activation none(false, 0);
        float sums[kPiece];
        const float* sum = sums;
        Apply(pair, none, sums, length);
        for (size_t k = 2; k < c.size(); ++k) {
          const T* x = buffers.input<T>(k) + begin;
          const float factor = c[k];
          const auto add = [=](int i) { return sum[i] + factor * x[i]; };
          if (k + 1 < c.size()) {
            Apply(add, none, sums, length);
          } else {
            Apply(add, activation, y, length);
          }
        }
      });
    }));
  });
}

bool Gate::PerChannel() const {
  const std::vector<int> &x = inputs[0]->shape, &gate = inputs[1]->shape;
  return x.size() > 1 && gate.size() > 1 && gate[0] == x[0] &&
      gate[1] == x[1] && inputs[1]->count() == static_cast<size_t>(x[0]) * x[1];
}

void Gate::InferShapes() {
  const std::vector<int> &x = inputs[0]->shape, &gate = inputs[1]->shape;
  std::vector<int> shape = x;
  bool fits = gate.size() == x.size();
  for (size_t i = 0; fits && i < x.size(); ++i) {
    fits = gate[i] == x[i] || gate[i] == 1 || x[i] == 1;
    shape[i] = std::max(gate[i], x[i]);
  }
  CHECK(fits || PerChannel()) << inputs[1]->name << " has a factor for each "
      "image and channel of " << inputs[0]->name << ", or its axes, or axes of 1";
  outputs[0]->shape = fits ? shape : x;
  if (inputs.size() > 2) {
    CHECK(inputs[2]->shape == outputs[0]->shape) << inputs[2]->name;
  }
}

namespace {

// Axes of the product, in memory, along which x and the gate go too, or stay.
struct GateAxis {
  size_t size;
  bool moves[2];
};

// Neighbours that are alike are one axis to a loop.
std::vector<GateAxis> GateAxes(const Value& product, const Value& x,
                               const Value& gate) {
  const std::vector<int> sizes = product.MemoryShape();
  std::vector<int> own[2] = {x.MemoryShape(), gate.MemoryShape()};
  if (own[1].size() != sizes.size()) {  // N x C
    own[1].assign(sizes.size(), 1);
    own[1][0] = product.shape[0];
    own[1][product.MemoryAxis(1)] = product.shape[1];
  }
  std::vector<GateAxis> axes;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const bool moves[2] = {own[0][i] != 1, own[1][i] != 1};
    if (sizes[i] == 1) {
      continue;
    }
    if (axes.empty() || !std::equal(moves, moves + 2, axes.back().moves)) {
      axes.push_back({1, {moves[0], moves[1]}});
    }
    axes.back().size *= sizes[i];
  }
  if (axes.empty()) {
    axes.push_back({1, {true, true}});
  }
  return axes;
}

}  // namespace

std::unique_ptr<Step> Gate::MakeStep() {
  std::vector<GateAxis> axes = GateAxes(*outputs[0], *inputs[0], *inputs[1]);
  const GateAxis row = axes.back();
  axes.pop_back();
  size_t rows = 1;
  for (const GateAxis& axis : axes) { rows *= axis.size; }
  const size_t pieces = (row.size + kPiece - 1) / kPiece;
  const bool adds = inputs.size() > 2;
  const Activation activation(relu, negative_slope);
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      Parallel(rows * pieces, [&](int i) {
        // The row's numbers along the axes that x and the gate have.
        const size_t begin = i % pieces * kPiece;
        size_t places[2] = {0, 0};
        for (int k = 0; k < 2; ++k) {
          size_t step = row.moves[k] ? row.size : 1, rest = i / pieces;
          for (size_t a = axes.size(); a-- > 0; rest /= axes[a].size) {
            if (axes[a].moves[k]) {
              places[k] += rest % axes[a].size * step;
              step *= axes[a].size;
            }
          }
          places[k] += row.moves[k] ? begin : 0;
        }
        const size_t at = i / pieces * row.size + begin;
        const int length = std::min<size_t>(kPiece, row.size - begin);
        const T* x = buffers.input<T>(0) + places[0];
        const float* gate = buffers.input(1) + places[1];
        const T* add = adds ? buffers.input<T>(2) + at : NULL;
        T* y = buffers.output<T>(0) + at;
        const float value = *x, factor = *gate;
        const auto product = [&](const auto& f) {
          if (adds) {
            Apply([=](int j) { return f(j) + add[j]; }, activation, y, length);
          } else {
            Apply(f, activation, y, length);
          }
        };
        if (!row.moves[0]) {
          product([=](int j) { return gate[j] * value; });
        } else if (row.moves[1]) {
          product([=](int j) { return gate[j] * x[j]; });
        } else {
          product([=](int j) { return factor * x[j]; });
        }
      });
    }));
  });
}

std::unique_ptr<Step> Sigmoid::MakeStep() {
  const size_t count = outputs[0]->count();
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const float* x = buffers.input(0);
    float* y = buffers.output(0);
    InPieces(count, [=](size_t begin, size_t end) {
#pragma omp simd
      for (size_t i = begin; i < end; ++i) { y[i] = 1 / (1 + Exp(-x[i])); }
    });
  }));
}

}  // namespace engine
}  // namespace caffe
