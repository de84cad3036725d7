#include "engine/ops/concat.hpp"

#include <algorithm>

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

// Rows of a value of which each part has a stretch. Counts bytes, of any type.
template <bool kJoins>
struct Rows {
  template <int N>
  __device__ void At(size_t i) const {
    const size_t row = i / begins[parts.count], at = i % begins[parts.count];
    int k = 0;
    while (at >= begins[k + 1]) { ++k; }
    typedef Pack<char, N> Bytes;
    Bytes* part = reinterpret_cast<Bytes*>(parts.at[k] +
        row * (begins[k + 1] - begins[k]) + at - begins[k]);
    Bytes* joined = reinterpret_cast<Bytes*>(whole + i);
    if (kJoins) {
      *joined = *part;
    } else {
      *part = *joined;
    }
  }

  Addresses<char> parts;
  size_t begins[kMaxInputs + 1];  // of the parts in a row, and its end
  char* whole;
};

template <bool kJoins>
std::unique_ptr<Step> MakeRowsStep(const Value& whole,
    const std::vector<Value*>& parts, int axis, Gpu* gpu) {
  CHECK_LE(parts.size(), kMaxInputs) << "values of one step on a GPU";
  const size_t bytes = whole.bytes();
  size_t rows = 1, sizes = 0;
  const std::vector<int> shape = whole.MemoryShape();
  for (int i = 0; i < whole.MemoryAxis(axis); ++i) { rows *= shape[i]; }
  std::vector<size_t> begins(1, 0);
  for (const Value* part : parts) {
    begins.push_back(begins.back() + part->bytes() / rows);
    sizes |= begins.back();
  }
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    Rows<kJoins> f = {
        AddressesOf<char>(kJoins ? buffers.inputs : buffers.outputs), {},
        kJoins ? buffers.outputs[0] : buffers.inputs[0]};
    std::copy(begins.begin(), begins.end(), f.begins);
    size_t places = sizes | Place(f.whole);
    for (int k = 0; k < f.parts.count; ++k) { places |= Place(f.parts.at[k]); }
    Each<kIn16Bytes<char> >(places, bytes, f, gpu->stream());
  }));
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Concat& op, Gpu* gpu) {
  return MakeRowsStep<true>(*op.outputs[0], op.inputs, op.axis, gpu);
}

std::unique_ptr<Step> MakeGpuStep(const Slice& op, Gpu* gpu) {
  return MakeRowsStep<false>(*op.inputs[0], op.outputs, op.axis, gpu);
}

namespace {

template <typename T>
struct InterleaveOf {
  template <int N>
  __device__ void At(size_t i) const {
    size_t at = i / x.count;
    int k = i % x.count;
    Pack<T, N> pack;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      pack.at[j] = x.at[k][at];
      if (++k == x.count) {
        k = 0;
        ++at;
      }
    }
    *reinterpret_cast<Pack<T, N>*>(y + i) = pack;
  }

  Addresses<const T> x;
  T* y;
};

}  // namespace

// Channels neighbour each other: all positions' are one row.
std::unique_ptr<Step> MakeGpuStep(const Interleave& op, Gpu* gpu) {
  const size_t count = op.outputs[0]->count();
  return ForGpuType(op.inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      const InterleaveOf<T> f = {AddressesOf<const T>(buffers.inputs),
                                 buffers.output<T>(0)};
      Each<kIn16Bytes<T> >(Place(f.y), count, f, gpu->stream());
    }));
  });
}

}  // namespace engine
}  // namespace caffe
