#include "engine/ops/affine.hpp"

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

template <typename T>
struct AffineOf {
  template <int N>
  __device__ void At(size_t i) const {
    float values[N];
    Load<N>(x + i, values);
    if (scale) {
      const int c = i / inner % channels;
      if (inner == 1) {  // N divides channels
        float factors[N], terms[N];
        Load<N>(scale + c, factors);
        Load<N>(shift + c, terms);
#pragma unroll
        for (int j = 0; j < N; ++j) {
          values[j] = factors[j] * values[j] + terms[j];
        }
      } else {  // N divides inner
#pragma unroll
        for (int j = 0; j < N; ++j) {
          values[j] = scale[c] * values[j] + shift[c];
        }
      }
    }
#pragma unroll
    for (int j = 0; j < N; ++j) { values[j] = activation(values[j]); }
    Store<N>(values, y + i);
  }

  const T* x;
  const float *scale, *shift;  // or null
  size_t channels, inner;  // inner: neighbours that share a channel
  GpuActivation activation;
  T* y;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Affine& op, Gpu* gpu) {
  const Value& x = *op.inputs[0];
  const size_t count = x.count();
  const size_t channels = x.shape.size() > 1 ? x.shape[1] : 1;
  const size_t inner =
      x.ChannelsNeighbour() ? 1 : count / (x.shape[0] * channels);
  const GpuActivation activation(op.relu, op.negative_slope);
  const float *scale = NULL, *shift = NULL;
  if (!op.scale.empty()) {
    scale = gpu->Constant<float>(&op, "scale", Type::F32, [&] {
      return std::vector<float>(op.scale.begin(), op.scale.end());
    });
    shift = gpu->Constant<float>(&op, "shift", Type::F32, [&] {
      return std::vector<float>(op.shift.begin(), op.shift.end());
    });
  }
  // Packs do not reach into the next channel.
  const size_t sizes = !scale ? 0 : inner > 1 ? inner : channels;
  return ForGpuType(x.type, [&](auto number) {
    typedef decltype(number) T;
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      const AffineOf<T> f = {buffers.input<T>(0), scale, shift, channels, inner,
                             activation, buffers.output<T>(0)};
      Each<kIn16Bytes<T> >(sizes | Place(f.x) | Place(f.y), count, f,
                       gpu->stream());
    }));
  });
}

}  // namespace engine
}  // namespace caffe
