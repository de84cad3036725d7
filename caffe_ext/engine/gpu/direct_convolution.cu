#include "engine/gpu/direct_convolution.hpp"

#include "engine/gpu/kernel.cuh"

namespace caffe {
namespace engine {

namespace {

struct Geometry {
  int height, width, channels;  // of x
  int out_h, out_w, outputs;
  int in_per_group, out_per_group;
  int kernel[2], stride[2], pad[2], dilation[2];
  float slope;
};

// A thread for each output; neighbours have neighbouring channels. weights: kernel
// height x width x inputs of a group x outputs.
template <typename T>
__global__ void Direct(const Geometry g, const T* x, const T* weights,
                       const float* bias, const T* residual, T* y,
                       size_t count) {
  const size_t i = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  if (i >= count) { return; }
  const int output = i % g.outputs;
  const size_t position = i / g.outputs;
  const int w = position % g.out_w, h = position / g.out_w % g.out_h;
  const size_t n = position / g.out_w / g.out_h;
  const T* group = x + output / g.out_per_group * g.in_per_group;
  float sum = bias[output] + (residual ? static_cast<float>(residual[i]) : 0.f);
  for (int kh = 0; kh < g.kernel[0]; ++kh) {
    const int in_h = h * g.stride[0] - g.pad[0] + kh * g.dilation[0];
    if (in_h < 0 || in_h >= g.height) { continue; }
    for (int kw = 0; kw < g.kernel[1]; ++kw) {
      const int in_w = w * g.stride[1] - g.pad[1] + kw * g.dilation[1];
      if (in_w < 0 || in_w >= g.width) { continue; }
      const T* from = group +
          ((n * g.height + in_h) * g.width + in_w) * g.channels;
      const T* factor = weights + output + static_cast<size_t>(
          kh * g.kernel[1] + kw) * g.in_per_group * g.outputs;
      for (int c = 0; c < g.in_per_group; ++c) {
        sum += static_cast<float>(from[c]) *
            static_cast<float>(factor[static_cast<size_t>(c) * g.outputs]);
      }
    }
  }
  y[i] = T(sum > 0 ? sum : g.slope * sum);
}

// The same for four outputs of a group at kPositions neighbours in a row: four
// inputs and their weights are loaded at a time.
const int kPositions = 4;

template <typename T>
__global__ void DirectByFour(const Geometry g, const T* x, const T* weights,
                             const float* bias, const T* residual, T* y,
                             size_t count) {
  const size_t i = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  if (i >= count) { return; }
  const int fours = g.outputs / 4, runs = (g.out_w + kPositions - 1) / kPositions;
  const int output = i % fours * 4;
  const int first = i / fours % runs * kPositions;
  const int h = i / fours / runs % g.out_h;
  const size_t n = i / fours / runs / g.out_h;
  const size_t row = (n * g.out_h + h) * g.out_w;
  const T* group = x + output / g.out_per_group * g.in_per_group;
  float sum[kPositions][4];
#pragma unroll
  for (int p = 0; p < kPositions; ++p) {
#pragma unroll
    for (int o = 0; o < 4; ++o) { sum[p][o] = bias[output + o]; }
    if (residual && first + p < g.out_w) {
      float added[4];
      Load<4>(residual + (row + first + p) * g.outputs + output, added);
#pragma unroll
      for (int o = 0; o < 4; ++o) { sum[p][o] += added[o]; }
    }
  }
  for (int kh = 0; kh < g.kernel[0]; ++kh) {
    const int in_h = h * g.stride[0] - g.pad[0] + kh * g.dilation[0];
    if (in_h < 0 || in_h >= g.height) { continue; }
    const T* from = group + (n * g.height + in_h) * g.width * g.channels;
    for (int kw = 0; kw < g.kernel[1]; ++kw) {
      const int in_w = first * g.stride[1] - g.pad[1] + kw * g.dilation[1];
      const T* factors = weights + output + static_cast<size_t>(
          kh * g.kernel[1] + kw) * g.in_per_group * g.outputs;
      for (int c = 0; c < g.in_per_group; c += 4) {
        float w[4][4];
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          Load<4>(factors + static_cast<size_t>(c + k) * g.outputs, w[k]);
        }
#pragma unroll
        for (int p = 0; p < kPositions; ++p) {
          const int at = in_w + p * g.stride[1];
          if (at < 0 || at >= g.width) { continue; }
          float values[4];
          Load<4>(from + static_cast<size_t>(at) * g.channels + c, values);
#pragma unroll
          for (int k = 0; k < 4; ++k) {
#pragma unroll
            for (int o = 0; o < 4; ++o) { sum[p][o] += values[k] * w[k][o]; }
          }
        }
      }
    }
  }
#pragma unroll
  for (int p = 0; p < kPositions; ++p) {
    if (first + p >= g.out_w) { continue; }
#pragma unroll
    for (int o = 0; o < 4; ++o) {
      sum[p][o] = sum[p][o] > 0 ? sum[p][o] : g.slope * sum[p][o];
    }
    Store<4>(sum[p], y + (row + first + p) * g.outputs + output);
  }
}

std::vector<float> OutputsLast(const Convolution& op) {
  const std::vector<float> plain = op.weights->Plain();
  const size_t row = plain.size() / op.num_output;  // inputs x height x width
  const size_t taps = op.kernel[0] * op.kernel[1], inputs = row / taps;
  std::vector<float> turned(plain.size());
  for (size_t o = 0; o < static_cast<size_t>(op.num_output); ++o) {
    for (size_t c = 0; c < inputs; ++c) {
      for (size_t tap = 0; tap < taps; ++tap) {
        turned[(tap * inputs + c) * op.num_output + o] =
            plain[o * row + c * taps + tap];
      }
    }
  }
  return turned;
}

}  // namespace

std::unique_ptr<Step> MakeDirectConvolution(const Convolution& op, Gpu* gpu) {
  Geometry g;
  g.height = op.inputs[0]->shape[2];
  g.width = op.inputs[0]->shape[3];
  g.channels = op.inputs[0]->shape[1];
  g.out_h = op.outputs[0]->shape[2];
  g.out_w = op.outputs[0]->shape[3];
  g.outputs = op.num_output;
  g.in_per_group = op.in_per_group();
  g.out_per_group = op.num_output / op.group;
  for (int i = 0; i < 2; ++i) {
    g.kernel[i] = op.kernel[i];
    g.stride[i] = op.stride[i];
    g.pad[i] = op.pad[i];
    g.dilation[i] = op.dilation[i];
  }
  g.slope = op.relu ? op.negative_slope : 1;
  const bool residual = op.inputs.size() > 1;
  // Values and their rows begin at multiples of four numbers then.
  const bool by_four = g.in_per_group % 4 == 0 && g.out_per_group % 4 == 0;
  const size_t count = !by_four ? op.outputs[0]->count() :
      static_cast<size_t>(op.outputs[0]->shape[0]) * g.out_h *
      ((g.out_w + kPositions - 1) / kPositions) * (g.outputs / 4);
  const float* bias = gpu->Constant<float>(&op, "bias in float", Type::F32,
                                           [&] { return op.bias; });
  return ForGpuType(op.inputs[0]->type, [&](auto number) {
    typedef decltype(number) T;
    const T* weights = gpu->Constant<T>(&op, "outputs last",
        op.inputs[0]->type, [&] { return OutputsLast(op); });
    return std::unique_ptr<Step>(new FunctionStep(
        [=](const Buffers& buffers) {
      const auto kernel = by_four ? DirectByFour<T> : Direct<T>;
      kernel<<<(count + kThreads - 1) / kThreads, kThreads, 0,
               gpu->stream()>>>(g, buffers.input<T>(0), weights, bias,
          residual ? buffers.input<T>(1) : NULL, buffers.output<T>(0), count);
      CUDA_POST_KERNEL_CHECK;
    }));
  });
}

}  // namespace engine
}  // namespace caffe
