#include "engine/ops/select.hpp"

#include <algorithm>

#include "engine/gpu/bottleneck.hpp"
#include "engine/gpu/grouped_3x3.hpp"
#include "engine/gpu/kernel.cuh"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

std::unique_ptr<Step> MakeGpuStep(const Branches& op, Gpu* gpu) {
  std::vector<const Convolution*> convolutions;
  for (const auto& branch : op.branches) {
    convolutions.push_back(branch.get());
  }
  return MakeGpuGrouped3x3(convolutions, *op.inputs[0], *op.outputs[0], true,
                           gpu);
}

namespace {

const int kTile = 64;  // channels of a block
const int kMostBranches = 64;  // for which shared memory is enough

// Threads that share an output of a block's `outputs`.
__host__ __device__ inline int SharesOf(int outputs) {
  return outputs < kThreads ? kThreads / outputs : 1;
}

// A block's attention, branches x kTile in shared memory: expand, and softmax over
// the branches.
__device__ void Attend(const GpuBottleneck& b, const float* hidden, int first,
                       int branches, float* attention) {
  const int outputs = branches * kTile, shares = SharesOf(outputs);
  float* sums = attention + outputs;  // shares x outputs
  for (int i = threadIdx.x; i < shares * outputs; i += kThreads) {
    const int o = i % outputs, c = first + o % kTile;
    float sum = 0;
    if (c < b.channels) {
      const float* weights = b.expand + o / kTile * b.channels + c;
#pragma unroll 16
      for (int h = i / outputs; h < b.hidden; h += shares) {
        sum += hidden[h] * weights[static_cast<size_t>(h) * b.outputs];
      }
    }
    sums[i] = sum;
  }
  __syncthreads();
  if (threadIdx.x < kTile && first + threadIdx.x < b.channels) {
    const float* bias = b.bias + first + threadIdx.x;
    float* weights = attention + threadIdx.x;
    float greatest = 0, total = 0;
    for (int k = 0; k < branches; ++k) {
      float value = bias[k * b.channels];
      for (int share = 0; share < shares; ++share) {
        value += sums[share * outputs + k * kTile + threadIdx.x];
      }
      weights[k * kTile] = value;
      greatest = k == 0 ? value : fmaxf(greatest, value);
    }
    for (int k = 0; k < branches; ++k) {
      total += weights[k * kTile] = expf(weights[k * kTile] - greatest);
    }
    for (int k = 0; k < branches; ++k) { weights[k * kTile] /= total; }
  }
  __syncthreads();
}

// An image's tile of channels in a share of its positions; N channels a thread at
// once. y may be a branch's memory.
template <int N, typename T>
__global__ void __launch_bounds__(kThreads)
SelectKernel(const __grid_constant__ Addresses<const T> branches,
             const GpuBottleneck b, const float* hidden, int positions, T* y) {
  extern __shared__ float4 shared[];
  float* attention = reinterpret_cast<float*>(shared);
  const size_t n = blockIdx.x;
  const int first = blockIdx.y * kTile;
  Attend(b, hidden + n * b.hidden, first, branches.count, attention);
  const int kOfPosition = kTile / N;  // threads
  const int own = threadIdx.x % kOfPosition * N, c = first + own;
  if (c >= b.channels) { return; }
  const int share = (positions - 1) / gridDim.z + 1;
  const int end = min(positions, static_cast<int>(blockIdx.z + 1) * share);
  for (int p = blockIdx.z * share + threadIdx.x / kOfPosition; p < end;
       p += kThreads / kOfPosition) {
    const size_t at = (n * positions + p) * b.channels + c;
    float sum[N] = {0};
    for (int k = 0; k < branches.count; ++k) {
      float values[N], weights[N];
      Load<N>(branches.at[k] + at, values);
      Load<N>(attention + k * kTile + own, weights);
#pragma unroll
      for (int j = 0; j < N; ++j) { sum[j] += weights[j] * values[j]; }
    }
    Store<N>(sum, y + at);
  }
}

template <typename T>
class SelectStep : public Step {
 public:
  SelectStep(const Select& op, Gpu* gpu)
      : gpu_(gpu), attention_(op, op.attention, gpu),
        batch_(op.inputs[0]->shape[0]), branches_(op.inputs.size() - 1),
        positions_(op.outputs[0]->count() / batch_ / attention_.channels) {
    CHECK_LE(branches_, kMostBranches) << "branches of an SK unit on a GPU";
  }

  virtual void Run(const Buffers& buffers) {
    SumHidden(attention_, batch_, 1, buffers.input(0), buffers.scratch,
              gpu_->stream());
    const int tiles = Blocks(attention_.channels, kTile);
    // So many blocks as keep the processors busy; each reads its weights anew.
    const int blocks = 16 * gpu_->multiprocessors();
    const int shares = std::max(1, std::min(positions_ / 64,
        blocks / (tiles * batch_)));
    const int outputs = branches_ * kTile;
    const size_t bytes = (1 + SharesOf(outputs)) * outputs * sizeof(float);
    const Addresses<const T> branches = AddressesOf<const T>(
        {buffers.inputs.begin() + 1, buffers.inputs.end()});
    T* y = buffers.output<T>(0);
    size_t sizes = attention_.channels | Place(y);
    for (int k = 0; k < branches_; ++k) { sizes |= Place(branches.at[k]); }
    ByWidth<kIn16Bytes<T> >(sizes, [&](auto width) {
      SelectKernel<decltype(width)::value>
          <<<dim3(batch_, tiles, shares), kThreads, bytes, gpu_->stream()>>>(
          branches, attention_, buffers.scratch, positions_, y);
      CUDA_POST_KERNEL_CHECK;
    });
  }
  virtual size_t ScratchFloats() const {
    return static_cast<size_t>(batch_) * attention_.hidden;
  }

 private:
  Gpu* const gpu_;
  const GpuBottleneck attention_;
  const int batch_, branches_, positions_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(const Select& op, Gpu* gpu) {
  return ForGpuType(op.inputs[1]->type, [&](auto number) {
    return std::unique_ptr<Step>(new SelectStep<decltype(number)>(op, gpu));
  });
}

}  // namespace engine
}  // namespace caffe
