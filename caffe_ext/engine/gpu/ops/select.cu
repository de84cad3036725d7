#include "engine/ops/select.hpp"

#include <algorithm>

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/grouped_3x3.hpp"
#include "engine/gpu/number.hpp"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

const int kThreads = 256;
const int kAttendThreads = 512;  // a warp each for most of the hidden values

// Expand and softmax of a block's share of an image's channels; what they
// hang on, all of the hidden values, each block computes for itself.
// means: N x channels; attention: N x branches x channels.
__global__ void Attend(const float* means, const float* reduce,
                       const float* reduce_bias, const float* expand,
                       const float* expand_bias, float slope, int channels,
                       int hidden, int branches, float* attention) {
  extern __shared__ float shared[];
  float* mean = shared;               // channels
  float* z = shared + channels;       // hidden
  const int n = blockIdx.y, lane = threadIdx.x % 32;
  for (int c = threadIdx.x; c < channels; c += kAttendThreads) {
    mean[c] = means[static_cast<size_t>(n) * channels + c];
  }
  __syncthreads();
  for (int h = threadIdx.x / 32; h < hidden; h += kAttendThreads / 32) {
    float sum = 0;
#pragma unroll 8
    for (int c = lane; c < channels; c += 32) {
      sum += reduce[static_cast<size_t>(h) * channels + c] * mean[c];
    }
    for (int distance = 16; distance > 0; distance /= 2) {
      sum += __shfl_xor_sync(0xffffffff, sum, distance);
    }
    sum += reduce_bias[h];
    if (lane == 0) { z[h] = sum > 0 ? sum : slope * sum; }
  }
  __syncthreads();
  const int share = (channels + gridDim.x - 1) / gridDim.x;
  const int end = min(channels, static_cast<int>(blockIdx.x + 1) * share);
  for (int c = blockIdx.x * share + threadIdx.x; c < end; c += kAttendThreads) {
    float* weights = attention + static_cast<size_t>(n) * branches * channels + c;
    float greatest = 0, total = 0;
    for (int k = 0; k < branches; ++k) {
      float value = expand_bias[k * channels + c];
#pragma unroll 16
      for (int h = 0; h < hidden; ++h) {
        value += z[h] *
            expand[(static_cast<size_t>(h) * branches + k) * channels + c];
      }
      weights[k * channels] = value;
      greatest = k == 0 ? value : fmaxf(greatest, value);
    }
    for (int k = 0; k < branches; ++k) {
      const float value = expf(weights[k * channels] - greatest);
      weights[k * channels] = value;
      total += value;
    }
    for (int k = 0; k < branches; ++k) { weights[k * channels] /= total; }
  }
}

// 16 bytes of a type.
template <typename T>
struct __align__(16) Pack { T values[16 / sizeof(T)]; };

const int kMostBranches = 8;

struct Branch { const void* x[kMostBranches]; };

// A thread for a pack of channels of a position. y may be a branch's memory.
template <typename T, typename P>
__global__ void Weigh(const __grid_constant__ Branch from,
                      const float* attention, int branches, int channels,
                      size_t positions, T* y, size_t count) {
  const int kSize = sizeof(P) / sizeof(T);
  const size_t i = blockIdx.x * static_cast<size_t>(kThreads) + threadIdx.x;
  if (i >= count) { return; }
  const size_t at = i * kSize;
  const size_t n = at / channels / positions;
  const float* weights = attention + n * branches * channels + at % channels;
  float sum[kSize] = {0};
  for (int k = 0; k < branches; ++k) {
    const P pack = reinterpret_cast<const P*>(from.x[k])[i];
    const T* values = reinterpret_cast<const T*>(&pack);
#pragma unroll
    for (int j = 0; j < kSize; ++j) {
      sum[j] += weights[k * channels + j] * static_cast<float>(values[j]);
    }
  }
  P pack;
  T* values = reinterpret_cast<T*>(&pack);
#pragma unroll
  for (int j = 0; j < kSize; ++j) { values[j] = T(sum[j]); }
  reinterpret_cast<P*>(y)[i] = pack;
}

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Branches& op, Gpu* gpu) {
  std::vector<const Convolution*> convolutions;
  for (const auto& branch : op.branches) {
    convolutions.push_back(branch.get());
  }
  return MakeGpuGrouped3x3(convolutions, *op.inputs[0], *op.outputs[0], true,
                           gpu);
}

namespace {

template <typename T>
class SelectStep : public Step {
 public:
  SelectStep(const Select& op, Gpu* gpu)
      : gpu_(gpu), batch_(op.inputs[0]->shape[0]),
        channels_(op.inputs[0]->shape[1]), branches_(op.inputs.size() - 1),
        hidden_(op.attention.reduce_bias().size()),
        count_(op.outputs[0]->count()),
        slope_(op.attention.negative_slope()) {
    CHECK_LE(branches_, kMostBranches) << "branches of an SK unit on a GPU";
    const auto constant = [&](const char* name,
                              const std::vector<float>& values) {
      return gpu->Constant<float>(&op, name, Type::F32,
                                  [&] { return values; });
    };
    reduce_ = constant("reduce", op.attention.reduce());
    reduce_bias_ = constant("reduce bias", op.attention.reduce_bias());
    expand_ = constant("expand", op.attention.expand());
    expand_bias_ = constant("expand bias", op.attention.bias());
  }

  virtual void Run(const Buffers& buffers) {
    // As many blocks as keep the processors busy, of 64 channels at least.
    const int shares = std::max(1, std::min(channels_ / 64,
        2 * gpu_->multiprocessors() / batch_));
    Attend<<<dim3(shares, batch_), kAttendThreads,
             (channels_ + hidden_) * sizeof(float), gpu_->stream()>>>(
        buffers.input(0), reduce_, reduce_bias_, expand_, expand_bias_, slope_,
        channels_, hidden_, branches_, buffers.scratch);
    CUDA_POST_KERNEL_CHECK;
    if (channels_ % (sizeof(Pack<T>) / sizeof(T)) == 0) {
      Weighted<Pack<T> >(buffers);
    } else {
      Weighted<T>(buffers);
    }
  }
  virtual size_t ScratchFloats() const {
    return static_cast<size_t>(batch_) * branches_ * channels_;
  }

 private:
  template <typename P>
  void Weighted(const Buffers& buffers) {
    Branch from;
    for (int k = 0; k < branches_; ++k) { from.x[k] = buffers.inputs[1 + k]; }
    const size_t count = count_ * sizeof(T) / sizeof(P);
    Weigh<T, P><<<(count + kThreads - 1) / kThreads, kThreads, 0,
                  gpu_->stream()>>>(from, buffers.scratch, branches_, channels_,
        count_ / batch_ / channels_, buffers.output<T>(0), count);
    CUDA_POST_KERNEL_CHECK;
  }

  Gpu* const gpu_;
  const int batch_, channels_, branches_, hidden_;
  const size_t count_;
  const float slope_;
  const float *reduce_, *reduce_bias_, *expand_, *expand_bias_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Select& op, Gpu* gpu) {
  return ForGpuType(op.inputs[1]->type, [&](auto number) {
    return std::unique_ptr<Step>(new SelectStep<decltype(number)>(op, gpu));
  });
}

}  // namespace engine
}  // namespace caffe
