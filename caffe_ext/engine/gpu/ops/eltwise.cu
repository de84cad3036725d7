#include "engine/ops/eltwise.hpp"

#include <algorithm>

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

// kInputs: how many, or 0 for any number.
template <typename T, int kInputs>
struct SumOf {
  template <int N>
  __device__ void At(size_t i) const {
    float sum[N] = {0};
    const int count = kInputs ? kInputs : x.count;
#pragma unroll
    for (int k = 0; k < count; ++k) {
      float values[N];
      Load<N>(x.at[k] + i, values);
#pragma unroll
      for (int j = 0; j < N; ++j) { sum[j] += coefficients[k] * values[j]; }
    }
#pragma unroll
    for (int j = 0; j < N; ++j) { sum[j] = activation(sum[j]); }
    Store<N>(sum, y + i);
  }

  Addresses<const T> x;
  float coefficients[kMaxInputs];
  GpuActivation activation;
  T* y;
};

template <typename T, int kInputs>
std::unique_ptr<Step> MakeSumStep(const Sum& op, Gpu* gpu) {
  const size_t count = op.outputs[0]->count();
  const std::vector<float> coefficients = op.coefficients;
  const GpuActivation activation(op.relu, op.negative_slope);
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    SumOf<T, kInputs> f = {AddressesOf<const T>(buffers.inputs), {}, activation,
                           buffers.output<T>(0)};
    std::copy(coefficients.begin(), coefficients.end(), f.coefficients);
    size_t sizes = Place(f.y);
    for (int k = 0; k < f.x.count; ++k) { sizes |= Place(f.x.at[k]); }
    Each<kIn16Bytes<T> >(sizes, count, f, gpu->stream());
  }));
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Sum& op, Gpu* gpu) {
  return ForGpuType(op.inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return op.inputs.size() == 2 ? MakeSumStep<T, 2>(op, gpu) :
        MakeSumStep<T, 0>(op, gpu);
  });
}

namespace {

// Axes of the product, in memory, and the steps along them of x and the gate, 0
// where these stay.
struct GateAxis {
  size_t size;
  size_t steps[2];
};

struct GateAxes {
  GateAxis at[kMaxBlobAxes];
  int count = 0;
};

// Neighbours that are alike are one axis.
GateAxes AxesOf(const Value& product, const Value& x, const Value& gate) {
  const std::vector<int> sizes = product.MemoryShape();
  std::vector<int> own[2] = {x.MemoryShape(), gate.MemoryShape()};
  if (own[1].size() != sizes.size()) {  // N x C
    own[1].assign(sizes.size(), 1);
    own[1][0] = product.shape[0];
    own[1][product.MemoryAxis(1)] = product.shape[1];
  }
  GateAxes axes;
  size_t steps[2] = {1, 1};
  for (int i = sizes.size() - 1; i >= 0; --i) {  // the first: the innermost
    if (sizes[i] == 1) {
      continue;
    }
    GateAxis axis = {1, {own[0][i] == 1 ? 0 : steps[0],
                         own[1][i] == 1 ? 0 : steps[1]}};
    GateAxis* last = axes.count ? &axes.at[axes.count - 1] : NULL;
    if (!last || !last->steps[0] != !axis.steps[0] ||
        !last->steps[1] != !axis.steps[1]) {
      last = &axes.at[axes.count++];
      *last = axis;
    }
    last->size *= sizes[i];
    for (int k = 0; k < 2; ++k) { steps[k] *= own[k][i]; }
  }
  if (axes.count == 0) {
    axes.at[axes.count++] = {1, {1, 1}};
  }
  return axes;
}

template <typename T>
struct GateOf {
  template <int N>
  __device__ void At(size_t i) const {
    size_t places[2] = {0, 0}, rest = i;
    for (int a = 0; a + 1 < axes.count; ++a) {
      const size_t along = rest % axes.at[a].size;
      rest /= axes.at[a].size;
      for (int k = 0; k < 2; ++k) { places[k] += along * axes.at[a].steps[k]; }
    }
    const GateAxis& outermost = axes.at[axes.count - 1];
    for (int k = 0; k < 2; ++k) { places[k] += rest * outermost.steps[k]; }
    float values[N], factors[N], terms[N] = {0};
    LoadAlong(x + places[0], axes.at[0].steps[0], values);
    LoadAlong(gate + places[1], axes.at[0].steps[1], factors);
    if (y) { Load<N>(y + i, terms); }
#pragma unroll
    for (int j = 0; j < N; ++j) {
      values[j] = activation(factors[j] * values[j] + terms[j]);
    }
    Store<N>(values, product + i);
  }

  // Neighbours, or one for all.
  template <int N, typename From>
  static __device__ void LoadAlong(const From* from, size_t step,
                                   float (&to)[N]) {
    if (step) {
      Load<N>(from, to);
      return;
    }
    const float value = static_cast<float>(*from);
#pragma unroll
    for (int j = 0; j < N; ++j) { to[j] = value; }
  }

  const T* x;
  const float* gate;
  const T* y;  // or null
  GateAxes axes;
  GpuActivation activation;
  T* product;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Gate& op, Gpu* gpu) {
  const size_t count = op.outputs[0]->count();
  const GateAxes axes = AxesOf(*op.outputs[0], *op.inputs[0], *op.inputs[1]);
  const bool adds = op.inputs.size() > 2;
  const GpuActivation activation(op.relu, op.negative_slope);
  // Packs do not reach into the next row.
  const size_t row = axes.count > 1 ? axes.at[0].size : 0;
  return ForGpuType(op.inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      const GateOf<T> f = {buffers.input<T>(0), buffers.input(1),
                           adds ? buffers.input<T>(2) : NULL, axes, activation,
                           buffers.output<T>(0)};
      Each<kIn16Bytes<T> >(row | Place(f.x) | Place(f.gate) | Place(f.y) |
                       Place(f.product), count, f, gpu->stream());
    }));
  });
}

namespace {

struct SigmoidOf {
  template <int N>
  __device__ void At(size_t i) const {
    float values[N];
    Load<N>(x + i, values);
#pragma unroll
    for (int j = 0; j < N; ++j) { values[j] = 1 / (1 + expf(-values[j])); }
    Store<N>(values, y + i);
  }

  const float* x;
  float* y;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Sigmoid& op, Gpu* gpu) {
  const size_t count = op.outputs[0]->count();
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const SigmoidOf f = {buffers.input(0), buffers.output(0)};
    Each<kIn16Bytes<float> >(Place(f.x) | Place(f.y), count, f, gpu->stream());
  }));
}

}  // namespace engine
}  // namespace caffe
