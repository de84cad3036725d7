#ifndef CAFFE_ENGINE_GPU_GROUPED_3X3_CUH_
#define CAFFE_ENGINE_GPU_GROUPED_3X3_CUH_

#include "engine/gpu/mma.cuh"
#include "engine/gpu/shared_memory.cuh"

namespace caffe {
namespace engine {

// The kernel of grouped_3x3.cu.
namespace grouped_3x3 {

// A block computes kChannels channels of a tile of positions. The tile's inputs,
// with what the windows reach beyond it, are in shared memory. A warp has 8 of the
// channels, their weights in registers, and half of the positions, 16 at a time:
// mma.sync of 16 positions, 8 outputs, and 16 or 32 bytes of inputs.
const int kChannels = 32;
const int kWarpsOfChannels = kChannels / 8;
const int kWarpsOfPositions = 2;
const int kThreads = 32 * kWarpsOfChannels * kWarpsOfPositions;
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

// The inputs that 8 outputs are made of: their group's, or two groups'.
__host__ __device__ constexpr int InputsOfEight(int width) {
  return width < 8 ? 8 : width;
}

// Where 16 bytes of a position's channels lie: so that 8 neighbours' are in
// different banks.
template <typename T>
__device__ inline unsigned ChunkOffset(unsigned position, unsigned chunk) {
  constexpr unsigned kChunks = kChannels / kIn16Bytes<T>;
  const unsigned swizzle = position / (8 / kChunks) % kChunks;
  return (position * kChunks + (chunk ^ swizzle)) << 4;
}

template <typename T, int kWidth, int kBranches>
__global__ void __launch_bounds__(kThreads)
Grouped3x3(const Geometry g, const Arguments<kBranches> arguments) {
#if __CUDA_ARCH__ >= 800
  char* const tile = SharedMemory();
  __shared__ float sums[kWarpsOfPositions][kChannels];
  __shared__ bool last;
  const int n = blockIdx.z, channel = blockIdx.y * kChannels;
  const int tiles = g.tiles_h * g.tiles_w;
  const int first_h = blockIdx.x / g.tiles_w * g.tile_h;
  const int first_w = blockIdx.x % g.tiles_w * g.tile_w;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int which = warp % kWarpsOfChannels;
  const unsigned shared = SharedAddress(tile);
  constexpr int kChunks = kChannels / kIn16Bytes<T>;

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
    CopyOrZero(shared + ChunkOffset<T>(position, chunk),
               image + at + chunk * kIn16Bytes<T>, inside);
  }

  // Of weights, for each chunk of inputs one.
  constexpr int kInputs = InputsOfEight(kWidth);
  constexpr int kRegisters = kInputs / kIn16Bytes<T>;
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
        b[k][tap][r] = AsFactors<T>(packed[tap * 32 * kRegisters + r]);
      }
    }
    bias[k][0] = arguments.bias[k][eight * 8 + lane % 4 * 2];
    bias[k][1] = arguments.bias[k][eight * 8 + lane % 4 * 2 + 1];
  }
  AwaitCopies();
  if constexpr (sizeof(T) == sizeof(float)) {
    // Each what it has copied.
    for (int i = threadIdx.x; i < g.in_h * g.in_w * kChunks; i += kThreads) {
      uint4* copied = reinterpret_cast<uint4*>(
          tile + ChunkOffset<T>(i / kChunks, i % kChunks));
      const uint4 x = *copied;
      *copied = make_uint4(AsFactors<T>(x.x), AsFactors<T>(x.y),
                           AsFactors<T>(x.z), AsFactors<T>(x.w));
    }
  }
  __syncthreads();

  // The first chunk of inputs, and of a wide matrix's two this thread's.
  const int chunk = which * 8 / kInputs * kRegisters +
      (kRegisters > 1 ? lane / 16 : 0);
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
        if constexpr (kRegisters == 1) {
          LoadNarrow(a, shared + ChunkOffset<T>(position, chunk));
          Mma<T>::Narrow(d[k], a, b[k][tap]);
        } else {
#pragma unroll
          for (int r = 0; r < kRegisters; r += 2) {
            LoadWide(a, shared + ChunkOffset<T>(position, chunk + r));
            Mma<T>::Wide(d[k], a, &b[k][tap][r]);
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

}  // namespace grouped_3x3
}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GROUPED_3X3_CUH_
