#include "engine/gpu/grouped_3x3.hpp"

#include <algorithm>

#include "engine/gpu/mma.cuh"
#include "engine/split.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// A block computes kChannels channels of a tile of positions. The tile's inputs,
// with what the windows reach beyond it, are in shared memory. A warp has 8 of the
// channels, their weights in registers, and half of the positions, 16 at a time:
// mma.sync of 16 positions, 8 outputs, and 8 or 16 inputs.
const int kChannels = 32;
const int kWarpsOfChannels = kChannels / 8;
const int kWarpsOfPositions = 2;
const int kThreads = 32 * kWarpsOfChannels * kWarpsOfPositions;
const int kChunks = kChannels / 8;  // 16 bytes each, of a position's channels
const int kTaps = 9;

struct Geometry {
  int height, width, out_h, out_w;    // of images
  int tile_h, tile_w, tiles_h, tiles_w;  // of outputs
  int in_h, in_w;                     // of a tile's inputs
  int channels, stride, reach;        // reach: the largest dilation
  int dilation[2];
  float slope[2];
};

template <int kBranches>
struct Arguments {
  const void* x;
  const uint32_t* weights[kBranches];
  const float* bias[kBranches];
  void* y[kBranches];
  // Null, or N x C: += or = the sums times `scale`.
  float* mean;
  float scale;
  bool add;
  float* partial;      // N x tiles x C
  unsigned* finished;  // N x C / kChannels, zeros before and after
};

// Registers that 8 inputs' and 8 outputs' weights take in a thread: for each 8 of
// a group's inputs one.
template <int kWidth>
__host__ __device__ constexpr int Registers() { return kWidth <= 8 ? 1 : kWidth / 8; }

// Where 16 bytes of a position's channels lie: so that 8 neighbours' are in
// different banks.
__device__ inline unsigned ChunkOffset(int position, int chunk) {
  return position * (kChannels * 2) + ((chunk ^ (position >> 1 & 3)) << 4);
}

#if __CUDA_ARCH__ >= 800

__device__ inline void CopyOrZero(unsigned to, const void* from, bool copy) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n"
               :: "r"(to), "l"(from), "r"(copy ? 16 : 0));
}

#endif  // __CUDA_ARCH__ >= 800

template <typename T, int kWidth, int kBranches>
__global__ void __launch_bounds__(kThreads)
Grouped3x3(const Geometry g, const Arguments<kBranches> arguments) {
#if __CUDA_ARCH__ >= 800
  extern __shared__ __align__(16) char tile[];
  __shared__ float sums[kWarpsOfPositions][kChannels];
  __shared__ bool last;
  const int n = blockIdx.z, channel = blockIdx.y * kChannels;
  const int tiles = g.tiles_h * g.tiles_w;
  const int first_h = blockIdx.x / g.tiles_w * g.tile_h;
  const int first_w = blockIdx.x % g.tiles_w * g.tile_w;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int which = warp % kWarpsOfChannels;
  const unsigned shared = SharedAddress(tile);

  // The tile's inputs, and zeros around the image.
  const T* image = static_cast<const T*>(arguments.x) +
      static_cast<size_t>(n) * g.height * g.width * g.channels + channel;
  const int origin_h = first_h * g.stride - g.reach;
  const int origin_w = first_w * g.stride - g.reach;
  for (int i = threadIdx.x; i < g.in_h * g.in_w * kChunks; i += kThreads) {
    const int position = i / kChunks, chunk = i % kChunks;
    const int h = origin_h + position / g.in_w;
    const int w = origin_w + position % g.in_w;
    const bool inside = h >= 0 && h < g.height && w >= 0 && w < g.width;
    const size_t at = inside ?
        (static_cast<size_t>(h) * g.width + w) * g.channels : 0;
    CopyOrZero(shared + ChunkOffset(position, chunk), image + at + chunk * 8,
               inside);
  }
  asm volatile("cp.async.commit_group;\n");

  constexpr int kRegisters = Registers<kWidth>();
  uint32_t b[kBranches][kTaps][kRegisters];
  float bias[kBranches][2];
  const int eight = channel / 8 + which;
#pragma unroll
  for (int k = 0; k < kBranches; ++k) {
    const uint32_t* packed = arguments.weights[k] +
        (static_cast<size_t>(eight) * kTaps * 32 + lane) * kRegisters;
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
#pragma unroll
      for (int r = 0; r < kRegisters; ++r) {
        b[k][tap][r] = packed[tap * 32 * kRegisters + r];
      }
    }
    bias[k][0] = arguments.bias[k][eight * 8 + lane % 4 * 2];
    bias[k][1] = arguments.bias[k][eight * 8 + lane % 4 * 2 + 1];
  }
  asm volatile("cp.async.wait_group 0;\n");
  __syncthreads();

  // The group's first 8 inputs, and this thread's in what it loads for ldmatrix.
  const int chunk = which * 8 / kWidth * kWidth / 8 +
      (kWidth > 8 ? lane / 16 : 0);
  const int positions = g.tile_h * g.tile_w;
  float sum[2] = {0, 0};
  for (int m = warp / kWarpsOfChannels * 16; m < positions;
       m += kWarpsOfPositions * 16) {
    const int row = min(m + lane % 16, positions - 1);
    const int base = (row / g.tile_w * g.stride + g.reach) * g.in_w +
        row % g.tile_w * g.stride + g.reach;
    float d[kBranches][4];
#pragma unroll
    for (int k = 0; k < kBranches; ++k) {
#pragma unroll
      for (int i = 0; i < 4; ++i) { d[k][i] = bias[k][i % 2]; }
    }
#pragma unroll
    for (int tap = 0; tap < kTaps; ++tap) {
#pragma unroll
      for (int k = 0; k < kBranches; ++k) {
        const int position = base +
            ((tap / 3 - 1) * g.in_w + tap % 3 - 1) * g.dilation[k];
        uint32_t a[4];
        if (kWidth <= 8) {
          LoadK8(a, shared + ChunkOffset(position, chunk));
          Mma<T>::K8(d[k], a, b[k][tap][0]);
        } else {
#pragma unroll
          for (int r = 0; r < kRegisters; r += 2) {
            LoadK16(a, shared + ChunkOffset(position, chunk + r));
            Mma<T>::K16(d[k], a, &b[k][tap][r]);
          }
        }
      }
    }
    // A thread has two neighbouring channels of two positions.
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int position = m + lane / 4 + half * 8;
      const int h = first_h + position / g.tile_w;
      const int w = first_w + position % g.tile_w;
      if (position >= positions || h >= g.out_h || w >= g.out_w) {
        continue;
      }
      const size_t at = ((static_cast<size_t>(n) * g.out_h + h) * g.out_w + w) *
          g.channels + eight * 8 + lane % 4 * 2;
#pragma unroll
      for (int k = 0; k < kBranches; ++k) {
        float y[2];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const float value = d[k][half * 2 + i];
          y[i] = value > 0 ? value : g.slope[k] * value;
          sum[i] += y[i];
        }
        StorePair(y, static_cast<T*>(arguments.y[k]) + at);
      }
    }
  }
  if (arguments.mean == NULL) {
    return;
  }

  // The mean: each block's sums in memory, added up, always in the same order, by
  // the last of an image's.
  for (int distance = 4; distance < 32; distance *= 2) {
    sum[0] += __shfl_xor_sync(0xffffffff, sum[0], distance);
    sum[1] += __shfl_xor_sync(0xffffffff, sum[1], distance);
  }
  if (lane < 4) {
    sums[warp / kWarpsOfChannels][which * 8 + lane * 2] = sum[0];
    sums[warp / kWarpsOfChannels][which * 8 + lane * 2 + 1] = sum[1];
  }
  __syncthreads();
  float* partial = arguments.partial +
      static_cast<size_t>(n) * tiles * g.channels + channel;
  if (threadIdx.x < kChannels) {
    float total = 0;
    for (int i = 0; i < kWarpsOfPositions; ++i) { total += sums[i][threadIdx.x]; }
    partial[blockIdx.x * static_cast<size_t>(g.channels) + threadIdx.x] = total;
    __threadfence();
  }
  __syncthreads();
  unsigned* finished = arguments.finished + n * gridDim.y + blockIdx.y;
  if (threadIdx.x == 0) {
    last = atomicAdd(finished, 1u) + 1 == tiles;
    if (last) { *finished = 0; }
  }
  __syncthreads();
  if (last && threadIdx.x < kChannels) {
    __threadfence();
    float total = 0;
    for (int i = 0; i < tiles; ++i) {
      total += __ldcg(partial + i * static_cast<size_t>(g.channels) +
                      threadIdx.x);
    }
    float* mean = arguments.mean + static_cast<size_t>(n) * g.channels +
        channel + threadIdx.x;
    *mean = total * arguments.scale + (arguments.add ? *mean : 0);
  }
#endif  // __CUDA_ARCH__ >= 800
}

// As mma.sync wants them in a thread's registers: outputs in eights, taps, lanes,
// inputs in eights, two inputs. Groups of 4: the other group's are zeros.
std::vector<float> Pack(const Convolution& op) {
  const int width = op.in_per_group(), eights = std::max(width / 8, 1);
  const std::vector<float> plain = op.weights->Plain();
  std::vector<float> packed;
  for (int first = 0; first < op.num_output; first += 8) {
    for (int tap = 0; tap < kTaps; ++tap) {
      for (int lane = 0; lane < 32; ++lane) {
        for (int r = 0; r < eights; ++r) {
          for (int i = 0; i < 2; ++i) {
            const int output = first + lane / 4;
            const int input = first / width * width + r * 8 + lane % 4 * 2 + i;
            const int within = input - output / width * width;
            packed.push_back(within < 0 || within >= width ? 0 :
                plain[(static_cast<size_t>(output) * width + within) * kTaps +
                      tap]);
          }
        }
      }
    }
  }
  return packed;
}

class Grouped3x3Step : public Step {
 public:
  Grouped3x3Step(const std::vector<const Convolution*>& branches,
      const Value& input, const Value& output, bool mean, Gpu* gpu)
      : gpu_(gpu), type_(input.type), width_(branches[0]->in_per_group()),
        batch_(input.shape[0]), mean_(mean) {
    Geometry& g = geometry_;
    g.height = input.shape[2];
    g.width = input.shape[3];
    g.channels = input.shape[1];
    g.out_h = output.shape[2];
    g.out_w = output.shape[3];
    g.stride = branches[0]->stride[0];
    g.reach = 0;
    for (const Convolution* op : branches) {
      g.reach = std::max(g.reach, op->dilation[0]);
      branches_.push_back({
          gpu->Constant<uint32_t>(op, "grouped 3x3", type_,
                                  [op] { return Pack(*op); }),
          gpu->Constant<float>(op, "bias in float", Type::F32,
                               [op] { return op->bias; }),
          op->dilation[0], op->relu ? op->negative_slope : 1});
    }
    // Larger tiles read less twice, but leave processors idle in small batches.
    int most = g.stride == 1 ? 224 : 112;
    SetTiles(most);
    if (Blocks() < 2 * gpu->multiprocessors()) {
      SetTiles(most = 112);
    }
    // Narrow images have high tiles, with much around them.
    const size_t kOthers = 512;  // and more than the kernel's variables
    while (SharedBytes() + kOthers > gpu->shared_bytes()) { SetTiles(most /= 2); }
    if (mean) {
      finished_ = gpu->Constant<unsigned>(branches[0],
          "finished " + std::to_string(batch_), Type::F32, [this] {
        return std::vector<float>(batch_ * geometry_.channels / kChannels);
      });
    }
  }

  virtual size_t ScratchFloats() const {
    return mean_ ? static_cast<size_t>(batch_) * geometry_.tiles_h *
        geometry_.tiles_w * geometry_.channels : 0;
  }

  virtual void Run(const Buffers& buffers) {
    for (size_t first = 0; first < branches_.size(); first += 2) {
      if (first + 1 < branches_.size()) {
        ForType<2>(first, buffers);
      } else {
        ForType<1>(first, buffers);
      }
    }
  }
  virtual std::string Implementation() const { return "own Tensor Cores"; }

 private:
  struct Branch {
    const uint32_t* weights;
    const float* bias;
    int dilation;
    float slope;
  };

  void SetTiles(int most) {
    Geometry& g = geometry_;
    g.tiles_w = Parts(g.out_w, 28);
    g.tile_w = Parts(g.out_w, g.tiles_w);
    g.tiles_h = Parts(g.out_h, std::max(most / g.tile_w, 1));
    g.tile_h = Parts(g.out_h, g.tiles_h);
    g.in_h = (g.tile_h - 1) * g.stride + 2 * g.reach + 1;
    g.in_w = (g.tile_w - 1) * g.stride + 2 * g.reach + 1;
  }
  size_t SharedBytes() const {
    return static_cast<size_t>(geometry_.in_h) * geometry_.in_w * kChannels * 2;
  }
  int Blocks() const {
    return geometry_.tiles_h * geometry_.tiles_w * batch_ *
        (geometry_.channels / kChannels);
  }

  template <int kBranches>
  void ForType(size_t first, const Buffers& buffers) {
    if (type_ == Type::F16) {
      ForWidth<__half, kBranches>(first, buffers);
    } else {
      ForWidth<__nv_bfloat16, kBranches>(first, buffers);
    }
  }
  template <typename T, int kBranches>
  void ForWidth(size_t first, const Buffers& buffers) {
    switch (width_) {
      case 4: return Launch<T, 4, kBranches>(first, buffers);
      case 8: return Launch<T, 8, kBranches>(first, buffers);
      case 16: return Launch<T, 16, kBranches>(first, buffers);
      default: return Launch<T, 32, kBranches>(first, buffers);
    }
  }
  template <typename T, int kWidth, int kBranches>
  void Launch(size_t first, const Buffers& buffers) {
    Geometry g = geometry_;
    Arguments<kBranches> arguments;
    arguments.x = buffers.inputs[0];
    for (int k = 0; k < kBranches; ++k) {
      const Branch& branch = branches_[first + k];
      arguments.weights[k] = branch.weights;
      arguments.bias[k] = branch.bias;
      arguments.y[k] = buffers.outputs[first + k];
      g.dilation[k] = branch.dilation;
      g.slope[k] = branch.slope;
    }
    arguments.mean = mean_ ? buffers.output(branches_.size()) : NULL;
    arguments.scale = 1.f / (g.out_h * g.out_w);
    arguments.add = first > 0;
    arguments.partial = buffers.scratch;
    arguments.finished = const_cast<unsigned*>(finished_);
    const size_t shared = SharedBytes();
    const auto kernel = Grouped3x3<T, kWidth, kBranches>;
    if (shared > 48 << 10) {
      CUDA_CHECK(cudaFuncSetAttribute(kernel,
          cudaFuncAttributeMaxDynamicSharedMemorySize, shared));
    }
    kernel<<<dim3(g.tiles_h * g.tiles_w, g.channels / kChannels, batch_),
             kThreads, shared, gpu_->stream()>>>(g, arguments);
    CUDA_POST_KERNEL_CHECK;
  }

  Gpu* const gpu_;
  const Type type_;
  const int width_, batch_;
  const bool mean_;
  Geometry geometry_;
  std::vector<Branch> branches_;
  const unsigned* finished_ = NULL;
};

}  // namespace

bool FitsGpuGrouped3x3(const Convolution& op, Type type) {
  const int width = op.in_per_group();
  const bool widths = width == 4 || width == 8 || width == 16 || width == 32;
  bool geometry = true;
  for (int i = 0; i < 2; ++i) {
    geometry = geometry && op.kernel[i] == 3 && op.stride[i] == op.stride[0] &&
        op.dilation[i] == op.dilation[0] && op.pad[i] == op.dilation[0];
  }
  // What a tile's inputs take in shared memory grows with stride and dilation.
  return type != Type::F32 && HasMma() && geometry && widths &&
      op.stride[0] <= 2 && op.dilation[0] <= 4 && op.inputs.size() == 1 &&
      op.num_output == width * op.group && op.num_output % kChannels == 0;
}

std::unique_ptr<Step> MakeGpuGrouped3x3(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean, Gpu* gpu) {
  return std::unique_ptr<Step>(
      new Grouped3x3Step(branches, input, output, mean, gpu));
}

}  // namespace engine
}  // namespace caffe
