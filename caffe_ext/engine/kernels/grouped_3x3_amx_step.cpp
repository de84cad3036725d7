#include "engine/kernels/grouped_3x3_amx_step.hpp"

#include <omp.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>

#include "engine/bfloat16.hpp"
#include "engine/kernels/grouped_3x3_unit.hpp"
#include "engine/parallel.hpp"

namespace caffe {
namespace engine {

namespace {

const int kChannels = GroupedUnit::kChannels, kBlock = GroupedUnit::kBlock;

bool HasAmx() {
#if defined(__x86_64__) && defined(__linux__)
  // Linux lends the tiles' registers to processes that ask.
  const int kRequestPermission = 0x1023, kTileData = 18;
  static const bool has = GroupedUnitAmx() != NULL &&
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bf16") &&
      __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
      syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return has;
#else
  return false;
#endif
}

struct Branch {
  GroupedUnit unit;
  const BFloat16* weights;
  std::vector<float> bias;
  size_t offset;  // of the first window in the padded unit
};

std::vector<float> Pack(const std::vector<float>& plain, int outputs) {
  const int width = plain.size() / (9 * outputs);
  std::vector<BFloat16> packed;
  for (int block = 0; block < outputs; block += kBlock) {
    const int unit = block / kChannels * kChannels;
    for (int tap = 0; tap < 9; ++tap) {
      for (int pair = unit; pair < unit + kChannels; pair += 2) {
        for (int output = block; output < block + kBlock; ++output) {
          for (int channel = pair; channel < pair + 2; ++channel) {
            packed.push_back(channel / width != output / width ? 0 :
                plain[(output * width + channel % width) * 9 + tap]);
          }
        }
      }
    }
  }
  return AsFloats(packed);
}

// What the kernel computes, of whatever inputs: no other group's are multiplied.
void Plainly(const GroupedUnit& unit, int width, int block, const BFloat16* in,
    const BFloat16* weights, const float* bias, BFloat16* out, float* total) {
  for (int y = 0; y < unit.out_height; ++y) {
    for (int x = 0; x < unit.out_width; ++x) {
      float sums[kBlock];
      std::copy_n(bias, kBlock, sums);
      for (int tap = 0; tap < 9; ++tap) {
        const BFloat16* pixel = in +
            (y * unit.stride + tap / 3 * unit.dilation) * unit.row +
            (x * unit.stride + tap % 3 * unit.dilation) * kChannels;
        for (int i = 0; i < kChannels; ++i) {
          const BFloat16* w =
              weights + tap * kChannels * kBlock + i / 2 * 2 * kBlock + i % 2;
          const int group = i / width * width - block;  // its first output
          const int end = std::min(group + width, kBlock);
          for (int o = std::max(group, 0); o < end; ++o) {
            sums[o] += pixel[i] * w[2 * o];
          }
        }
      }
      for (int o = 0; o < kBlock; ++o) {
        const float result = sums[o] > 0 ? sums[o] : sums[o] * unit.slope;
        out[o] = result;
        total[o] += result;
      }
      out += unit.out_step;
    }
  }
}

class Grouped3x3Amx : public Step {
 public:
  Grouped3x3Amx(const std::vector<const Convolution*>& branches,
      const Value& input, const Value& output, bool mean)
      : channels_(input.shape[1]), width_(branches[0]->in_per_group()),
        height_(input.shape[2]), row_pixels_(input.shape[3]),
        area_(static_cast<size_t>(output.shape[2]) * output.shape[3]), pad_(0),
        mean_(mean), threads_(omp_get_max_threads()) {
    for (const Convolution* op : branches) { pad_ = std::max(pad_, op->pad[0]); }
    const int row = padded_width() * kChannels;
    for (const Convolution* op : branches) {
      const float* weights = op->weights->InOwn(
          [&](const std::vector<float>& plain) {
        return Pack(plain, op->num_output);
      });
      const GroupedUnit unit = {row, op->stride[0], op->dilation[0],
          output.shape[2], output.shape[3], channels_,
          op->relu ? op->negative_slope : 1};
      branches_.push_back({unit, reinterpret_cast<const BFloat16*>(weights),
          op->bias,
          static_cast<size_t>(pad_ - op->pad[0]) * (row + kChannels)});
    }
    // Half a unit at a time where there are too few for all threads.
    const int units = input.shape[0] * (channels_ / kChannels);
    outputs_ = units < threads_ ? kBlock : kChannels;
    parts_ = input.shape[0] * (channels_ / outputs_);
  }

  virtual void Run(const Buffers& buffers) {
    const int per_image = channels_ / outputs_;
    Parallel(parts_, [&](int i) {
      BFloat16* padded = reinterpret_cast<BFloat16*>(buffers.scratch) +
          omp_get_thread_num() * padded_count();
      Part(i / per_image, i % per_image * outputs_, buffers, padded);
    });
  }

  virtual size_t ScratchFloats() const {
    return threads_ * padded_count() / 2;
  }
  virtual std::string Implementation() const { return "own AMX"; }

 private:
  int padded_width() const { return row_pixels_ + 2 * pad_; }
  size_t padded_count() const {
    return static_cast<size_t>(height_ + 2 * pad_) * padded_width() * kChannels;
  }

  // A unit of one image with zeros around; returns whether it is finite.
  bool Pad(const uint16_t* image, uint16_t* padded) const {
    uint16_t largest[kChannels] = {0};  // as bits without the sign
    const size_t side = static_cast<size_t>(pad_) * kChannels;
    const size_t edge = side * padded_width();
    padded = std::fill_n(padded, edge, 0);
    for (int y = 0; y < height_; ++y) {
      padded = std::fill_n(padded, side, 0);
      for (int x = 0; x < row_pixels_; ++x) {
#pragma omp simd
        for (int i = 0; i < kChannels; ++i) {
          padded[i] = image[i];
          const uint16_t size = image[i] & 0x7fff;
          largest[i] = size > largest[i] ? size : largest[i];
        }
        padded += kChannels;
        image += channels_;
      }
      padded = std::fill_n(padded, side, 0);
    }
    std::fill_n(padded, edge, 0);
    return *std::max_element(largest, largest + kChannels) < 0x7f80;
  }

  // Outputs from c on, of image n.
  void Part(int n, int c, const Buffers& buffers, BFloat16* padded) const {
    const size_t image = static_cast<size_t>(height_) * row_pixels_ * channels_;
    const bool finite = Pad(
        buffers.input<uint16_t>(0) + n * image + c / kChannels * kChannels,
        reinterpret_cast<uint16_t*>(padded));
    float total[kChannels] = {0};
    for (size_t b = 0; b < branches_.size(); ++b) {
      const Branch& branch = branches_[b];
      const BFloat16* in = padded + branch.offset;
      const BFloat16* weights =
          branch.weights + c / kBlock * static_cast<size_t>(GroupedUnit::kWeights);
      const float* bias = branch.bias.data() + c;
      BFloat16* out = buffers.output<BFloat16>(b) + n * area_ * channels_ + c;
      if (finite) {
        GroupedUnitAmx()(branch.unit, outputs_ / kBlock,
            reinterpret_cast<const uint16_t*>(in),
            reinterpret_cast<const uint16_t*>(weights), bias,
            reinterpret_cast<uint16_t*>(out), total);
        continue;
      }
      for (int i = 0; i < outputs_; i += kBlock) {
        Plainly(branch.unit, width_, (c + i) % kChannels, in,
                weights + i / kBlock * GroupedUnit::kWeights, bias + i, out + i,
                total + i);
      }
    }
    if (mean_) {
      float* mean = buffers.output(branches_.size()) + n * channels_ + c;
      for (int i = 0; i < outputs_; ++i) { mean[i] = total[i] / area_; }
    }
  }

  std::vector<Branch> branches_;
  const int channels_, width_;      // of a group
  const int height_, row_pixels_;
  const size_t area_;               // of the outputs
  int pad_;                         // the branches' largest
  int outputs_, parts_;             // of a part, which one thread takes at a time
  const bool mean_;
  const int threads_;
};

}  // namespace

bool FitsGrouped3x3Amx(const std::vector<const Convolution*>& branches) {
  return HasAmx() && std::all_of(branches.begin(), branches.end(),
      [](const Convolution* op) {
    const int width = op->in_per_group();
    return width >= 4 && kChannels % width == 0 &&
        op->num_output % kChannels == 0;
  });
}

std::unique_ptr<Step> MakeGrouped3x3Amx(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean) {
  return std::unique_ptr<Step>(
      new Grouped3x3Amx(branches, input, output, mean));
}

}  // namespace engine
}  // namespace caffe
