#include "engine/ops/concat.hpp"

#include <cstring>

#include "caffe/common.hpp"
#include "engine/bfloat16.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// A value as rows in memory, each with all of an axis and what lies within.
struct Rows {
  Rows(const Value& value, int axis) : count(1) {
    const std::vector<int> sizes = value.MemoryShape();
    for (int i = 0; i < value.MemoryAxis(axis); ++i) { count *= sizes[i]; }
    width = value.count() / count;
  }
  size_t count, width;
};

std::vector<size_t> Widths(const std::vector<Value*>& values, int axis) {
  std::vector<size_t> widths;
  for (const Value* value : values) {
    widths.push_back(Rows(*value, axis).width);
  }
  return widths;
}

// inputs' shape with their sizes along an axis added up.
std::vector<int> Together(const std::vector<Value*>& inputs, int axis) {
  std::vector<int> together = inputs[0]->shape;
  CHECK_LT(axis, together.size()) << "an axis of " << inputs[0]->name;
  together[axis] = 0;
  for (const Value* input : inputs) {
    std::vector<int> shape = input->shape;
    CHECK_EQ(shape.size(), together.size()) << "axes of " << input->name;
    const int size = shape[axis];
    shape[axis] = together[axis];
    CHECK(shape == together) << "shapes of " << inputs[0]->name << " and "
        << input->name << " differ in more than axis " << axis;
    together[axis] += size;
  }
  return together;
}

}  // namespace

void Concat::InferShapes() { outputs[0]->shape = Together(inputs, axis); }

std::unique_ptr<Step> Concat::MakeStep() {
  const std::vector<size_t> widths = Widths(inputs, axis);
  const Rows rows(*outputs[0], axis);
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      Parallel(rows.count, [&](int i) {
        T* out = buffers.output<T>(0) + i * rows.width;
        for (size_t k = 0; k < widths.size(); ++k) {
          std::memcpy(out, buffers.input<T>(k) + i * widths[k],
                      widths[k] * sizeof(T));
          out += widths[k];
        }
      });
    }));
  });
}

void Slice::InferShapes() {
  std::vector<int> shape = inputs[0]->shape;
  CHECK_LT(axis, shape.size()) << "an axis of " << inputs[0]->name;
  const int size = shape[axis], parts = outputs.size();
  CHECK(!points.empty() || size % parts == 0) << "a slice of " << size
      << " in " << parts;
  int begin = 0;
  for (int i = 0; i < parts; ++i) {
    const int end = points.empty() ? size / parts * (i + 1) :
        i + 1 < parts ? points[i] : size;
    CHECK_GT(end, begin) << "a slice of nothing";
    shape[axis] = end - begin;
    outputs[i]->shape = shape;
    begin = end;
  }
}

std::unique_ptr<Step> Slice::MakeStep() {
  const std::vector<size_t> widths = Widths(outputs, axis);
  const Rows rows(*inputs[0], axis);
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      Parallel(rows.count, [&](int i) {
        const T* in = buffers.input<T>(0) + i * rows.width;
        for (size_t k = 0; k < widths.size(); ++k) {
          std::memcpy(buffers.output<T>(k) + i * widths[k], in,
                      widths[k] * sizeof(T));
          in += widths[k];
        }
      });
    }));
  });
}

void Interleave::InferShapes() { outputs[0]->shape = Together(inputs, 1); }

std::unique_ptr<Step> Interleave::MakeStep() {
  const int parts = inputs.size(), channels = inputs[0]->shape[1];
  const int positions = outputs[0]->count() / (parts * channels);
  return ForType(inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      Parallel(positions, [&](int i) {
        const size_t at = static_cast<size_t>(i) * channels;
        T* out = buffers.output<T>(0) + at * parts;
        for (int k = 0; k < parts; ++k) {
          const T* in = buffers.input<T>(k) + at;
          for (int c = 0; c < channels; ++c) { out[c * parts + k] = in[c]; }
        }
      });
    }));
  });
}

}  // namespace engine
}  // namespace caffe
