#include "engine/ops/interp.hpp"

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

// Where an output lies between two inputs of its axis.
struct Between {
  __device__ Between(size_t i, size_t in, size_t out) {
    const size_t steps = max(out, size_t(2)) - 1, place = i * (in - 1);
    low = place / steps;
    high = min(low + 1, in - 1);
    weight = static_cast<float>(place % steps) / steps;
  }
  size_t low, high;
  float weight;  // of the higher one
};

struct InterpOf {
  template <int N>
  __device__ void At(size_t i) const {
    const size_t position = i / channels, rows = position / out[1];
    const Between row(rows % out[0], in[0], out[0]);
    const Between column(position % out[1], in[1], out[1]);
    const float* image =
        x + rows / out[0] * in[0] * in[1] * channels + i % channels;
    float a[N], b[N], c[N], d[N];
    Load<N>(image + (row.low * in[1] + column.low) * channels, a);
    Load<N>(image + (row.low * in[1] + column.high) * channels, b);
    Load<N>(image + (row.high * in[1] + column.low) * channels, c);
    Load<N>(image + (row.high * in[1] + column.high) * channels, d);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const float left = (1 - row.weight) * a[j] + row.weight * c[j];
      const float right = (1 - row.weight) * b[j] + row.weight * d[j];
      a[j] = (1 - column.weight) * left + column.weight * right;
    }
    Store<N>(a, y + i);
  }

  const float* x;
  size_t channels, in[2], out[2];  // height, width
  float* y;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Interp& op, Gpu* gpu) {
  const std::vector<int> in = op.inputs[0]->shape, out = op.outputs[0]->shape;
  const size_t count = op.outputs[0]->count();
  return std::unique_ptr<Step>(new FunctionStep(
      [=](const Buffers& buffers) {
    const InterpOf f = {buffers.input(0), size_t(in[1]),
                        {size_t(in[2]), size_t(in[3])},
                        {size_t(out[2]), size_t(out[3])}, buffers.output(0)};
    Each<kIn16Bytes<float> >(f.channels | Place(f.x) | Place(f.y), count, f,
                         gpu->stream());
  }));
}

}  // namespace engine
}  // namespace caffe
