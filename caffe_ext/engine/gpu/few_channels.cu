#include "engine/gpu/few_channels.hpp"

#include <algorithm>

#include "engine/gpu/mma.cuh"
#include "engine/gpu/shared_memory.cuh"
#include "engine/split.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// A block computes kOutputs channels of a tile of positions. The tile's inputs are
// in shared memory, four channels each, so that what a row of the window covers, 8
// positions, lies in a row, and begins at a multiple of 16 bytes for each output: a
// matrix of 32 columns to ldmatrix. A warp has 16 of the outputs.
const int kOutputs = 64;
const int kWarpsOfOutputs = kOutputs / 16;
const int kWarpsOfPositions = 2;
const int kThreads = 32 * kWarpsOfOutputs * kWarpsOfPositions;
const int kColumns = 8;   // of a window, the last maybe with weights of 0
const int kChannels = 4;  // of x, likewise
// A step takes 32 bytes of a row.
template <typename T>
constexpr int kSteps = kColumns * kChannels / (2 * kIn16Bytes<T>);

struct Geometry {
  int height, width, channels;  // of x
  int out_h, out_w, outputs;
  int tile_h, tile_w, tiles_w;  // of outputs
  int in_h, in_w;               // of a tile's inputs
  int pad_h, pad_w;
  float slope;
};

template <typename T, int kRows>
__global__ void __launch_bounds__(kThreads)
FewChannels(const Geometry g, const T* x, const uint32_t* weights,
            const float* bias, T* y) {
#if __CUDA_ARCH__ >= 800
  T* tile = reinterpret_cast<T*>(SharedMemory());
  const int n = blockIdx.z;
  const int first_h = blockIdx.x / g.tiles_w * g.tile_h;
  const int first_w = blockIdx.x % g.tiles_w * g.tile_w;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;

  const T* image = x + static_cast<size_t>(n) * g.height * g.width * g.channels;
  const int origin_h = first_h * 2 - g.pad_h, origin_w = first_w * 2 - g.pad_w;
  for (int i = threadIdx.x; i < g.in_h * g.in_w; i += kThreads) {
    const int h = origin_h + i / g.in_w, w = origin_w + i % g.in_w;
    const bool inside = h >= 0 && h < g.height && w >= 0 && w < g.width;
    const T* from = image + (static_cast<size_t>(h) * g.width + w) * g.channels;
#pragma unroll
    for (int c = 0; c < kChannels; ++c) {
      tile[i * kChannels + c] =
          inside && c < g.channels ? AsFactor(from[c]) : T(0.f);
    }
  }

  const int output = blockIdx.y * kOutputs + warp % kWarpsOfOutputs * 16;
  uint32_t b[2][kRows][kSteps<T>][2];
  float biases[2][2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const uint32_t* packed = weights +
        static_cast<size_t>(output / 8 + half) * kRows * kSteps<T> * 64 +
        lane * 2;
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
#pragma unroll
      for (int step = 0; step < kSteps<T>; ++step) {
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          b[half][row][step][r] = output < g.outputs ?
              AsFactors<T>(packed[(row * kSteps<T> + step) * 64 + r]) : 0;
        }
      }
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      biases[half][i] = output < g.outputs ?
          bias[output + half * 8 + lane % 4 * 2 + i] : 0;
    }
  }
  __syncthreads();
  if (output >= g.outputs) {
    return;
  }

  const unsigned address = SharedAddress(tile);
  constexpr int kPosition = kChannels * sizeof(T);  // bytes
  const int positions = g.tile_h * g.tile_w;
  for (int m = warp / kWarpsOfOutputs * 16; m < positions;
       m += kWarpsOfPositions * 16) {
    const int mine = min(m + lane % 16, positions - 1);
    const unsigned base = address + lane / 16 * 16 +
        (mine / g.tile_w * g.in_w + mine % g.tile_w) * 2 * kPosition;
    float d[2][4];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int i = 0; i < 4; ++i) { d[half][i] = biases[half][i % 2]; }
    }
#pragma unroll
    for (int row = 0; row < kRows; ++row) {
#pragma unroll
      for (int step = 0; step < kSteps<T>; ++step) {
        uint32_t a[4];
        LoadWide(a, base + row * g.in_w * kPosition + step * 32);
        Mma<T>::Wide(d[0], a, b[0][row][step]);
        Mma<T>::Wide(d[1], a, b[1][row][step]);
      }
    }
#pragma unroll
    for (int lower = 0; lower < 2; ++lower) {
      const int position = m + lane / 4 + lower * 8;
      const int h = first_h + position / g.tile_w;
      const int w = first_w + position % g.tile_w;
      if (position >= positions || h >= g.out_h || w >= g.out_w) {
        continue;
      }
      T* to = y + ((static_cast<size_t>(n) * g.out_h + h) * g.out_w + w) *
          g.outputs + output + lane % 4 * 2;
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float values[2];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const float value = d[half][lower * 2 + i];
          values[i] = value > 0 ? value : g.slope * value;
        }
        StorePair(values, to + half * 8);
      }
    }
  }
#endif  // __CUDA_ARCH__ >= 800
}

// As mma.sync wants them in a thread's registers: outputs in eights, rows, steps
// (columns and channels), lanes, a step's two registers, what a register holds.
template <typename T>
std::vector<float> Pack(const Convolution& op) {
  const std::vector<float> plain = op.weights->Plain();
  const int channels = op.in_per_group();
  std::vector<float> packed;
  for (int first = 0; first < op.num_output; first += 8) {
    for (int row = 0; row < op.kernel[0]; ++row) {
      for (int step = 0; step < kSteps<T>; ++step) {
        for (int lane = 0; lane < 32; ++lane) {
          for (int i = 0; i < 2 * kInRegister<T>; ++i) {
            const int k =
                (step * 2 + i / kInRegister<T>) * kIn16Bytes<T> +
                lane % 4 * kInRegister<T> + i % kInRegister<T>;
            const int column = k / kChannels, c = k % kChannels;
            packed.push_back(column >= op.kernel[1] || c >= channels ? 0 :
                plain[((static_cast<size_t>(first + lane / 4) * channels + c) *
                       op.kernel[0] + row) * op.kernel[1] + column]);
          }
        }
      }
    }
  }
  return packed;
}

template <typename T, int kRows>
std::unique_ptr<Step> MakeOfRows(const Convolution& op, Gpu* gpu) {
  const std::vector<int> &in = op.inputs[0]->shape, &out = op.outputs[0]->shape;
  const int batch = in[0];
  Geometry g = {in[2], in[3], in[1], out[2], out[3], op.num_output};
  g.tiles_w = Parts(g.out_w, 56);
  g.tile_w = Parts(g.out_w, g.tiles_w);
  // Whose inputs fit in 48 KB, also where they are high and narrow.
  const int most = 448 / sizeof(T);
  const int tiles_h = Parts(g.out_h, std::max(most / g.tile_w, 1));
  g.tile_h = Parts(g.out_h, tiles_h);
  g.in_h = (g.tile_h - 1) * 2 + kRows;
  g.in_w = (g.tile_w - 1) * 2 + kColumns;
  g.pad_h = op.pad[0];
  g.pad_w = op.pad[1];
  g.slope = op.relu ? op.negative_slope : 1;
  const size_t shared = static_cast<size_t>(g.in_h) * g.in_w * kChannels *
      sizeof(T);
  const dim3 blocks(g.tiles_w * tiles_h, Parts(g.outputs, kOutputs), batch);
  const uint32_t* weights = gpu->Constant<uint32_t>(&op, "few channels",
      op.inputs[0]->type, [&] { return Pack<T>(op); });
  const float* bias = gpu->Constant<float>(&op, "bias in float", Type::F32,
                                           [&] { return op.bias; });
  struct Named : public FunctionStep {
    using FunctionStep::FunctionStep;
    virtual std::string Implementation() const { return "own Tensor Cores"; }
  };
  return std::unique_ptr<Step>(new Named([=](const Buffers& buffers) {
    Launch(FewChannels<T, kRows>, blocks, kThreads, shared, gpu->stream(), g,
           buffers.input<T>(0), weights, bias, buffers.output<T>(0));
  }));
}

template <typename T>
std::unique_ptr<Step> MakeOfType(const Convolution& op, Gpu* gpu) {
  return op.kernel[0] == 3 ? MakeOfRows<T, 3>(op, gpu) :
      op.kernel[0] == 5 ? MakeOfRows<T, 5>(op, gpu) : MakeOfRows<T, 7>(op, gpu);
}

}  // namespace

bool FitsFewChannels(const Convolution& op, const Gpu& gpu) {
  const int rows = op.kernel[0];
  return gpu.has_mma() && op.group == 1 &&
      op.in_per_group() <= kChannels && op.num_output % 16 == 0 &&
      (rows == 3 || rows == 5 || rows == 7) && op.kernel[1] <= kColumns &&
      op.stride[0] == 2 && op.stride[1] == 2 && op.dilation[0] == 1 &&
      op.dilation[1] == 1 && op.inputs.size() == 1;
}

std::unique_ptr<Step> MakeFewChannels(const Convolution& op, Gpu* gpu) {
  return ForGpuType(gpu->type(), [&](auto number) {
    return MakeOfType<decltype(number)>(op, gpu);
  });
}

}  // namespace engine
}  // namespace caffe
