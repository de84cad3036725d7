#include "engine/kernels/grouped_3x3.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>

#include "engine/bfloat16.hpp"
#include "engine/kernels/grouped_3x3_amx_step.hpp"
#include "engine/kernels/grouped_3x3_plane.hpp"
#include "engine/onednn.hpp"
#include "engine/parallel.hpp"

namespace caffe {
namespace engine {

namespace {

// How a convolution is computed, in vectors of how many outputs, each the products of
// one input or of two at a time.
struct Kernel {
  GroupedPlaneFunction plane;
  int lanes, inputs;
  const char* name;
};

template <typename T>
Kernel FindKernel(const Convolution& op) {
  const int width = op.in_per_group(), channels = op.num_output;
  const int stride = op.stride[0], dilation = op.dilation[0];
  if (channels % 16 == 0 && (width == 4 || width == 8 || width % 16 == 0) &&
      Has(dnnl::cpu_isa::avx512_core)) {
    if (std::is_same<T, BFloat16>::value && HasBF16()) {
      const GroupedPlaneFunction plane = GroupedPlaneAvx512BF16(stride, dilation);
      if (plane) { return {plane, 16, 2, "own AVX-512 BF16"}; }
    }
    const GroupedPlaneFunction plane = GroupedPlaneAvx512<T>(stride, dilation);
    if (plane) { return {plane, 16, 1, "own AVX-512"}; }
  }
  // Of still fewer channels most weights would be zeros.
  if (width > 2 && channels % std::lcm(width, 8) == 0) {
    return {GroupedPlaneAvx2<T>(stride, dilation), 8, 1, "own AVX2"};
  }
  return {NULL, 0, 0, NULL};
}

// What a vector of outputs reads: its groups' channels.
struct Inputs {
  Inputs(int output, int lanes, int width)
      : first(output / width * width),
        count(((output + lanes - 1) / width + 1) * width - first) {}
  // Groups of 4 or 8 are told apart by the kernel, which multiplies no zeros then.
  int Multiplied(int width) const { return width == 4 || width == 8 ? width : count; }
  int first, count;
};

struct Branch {
  Kernel kernel;
  // [vector of outputs][ky][channel or pair][kx][lane]
  const float* weights;
  std::vector<float> bias;
  float slope;
  int pad;
};

struct Shape {
  int batch, channels, group_width;
  int height, width, out_height, out_width;
  int pad;   // the branches' largest
  int unit;  // channels that one thread takes at a time
  int pixel;  // floats that it has of a pixel; or pairs of bf16

  int padded_height() const { return height + 2 * pad; }
  int padded_width() const { return width + 2 * pad; }
  size_t padded_floats() const {
    return static_cast<size_t>(padded_height()) * padded_width() * pixel;
  }
};

// A unit's channels of one image with zeros around.
template <typename From, typename To>
void Pad(const Shape& shape, const From* image, To* padded) {
  const int unit = shape.unit, pad = shape.pad;
  const size_t side = static_cast<size_t>(pad) * unit;
  const size_t edge = side * shape.padded_width();
  std::memset(padded, 0, edge * sizeof(To));
  padded += edge;
  for (int y = 0; y < shape.height; ++y) {
    std::memset(padded, 0, side * sizeof(To));
    padded += side;
    for (int x = 0; x < shape.width; ++x) {
      __builtin_prefetch(image + 16 * shape.channels);
      for (int i = 0; i < unit; i += 8) {
#pragma omp simd
        for (int j = 0; j < 8; ++j) { padded[i + j] = image[i + j]; }
      }
      padded += unit;
      image += shape.channels;
    }
    std::memset(padded, 0, side * sizeof(To));
    padded += side;
  }
  std::memset(padded, 0, edge * sizeof(To));
}

template <typename Number>
std::vector<float> Pack(const std::vector<float>& plain, int outputs, int lanes) {
  const int width = plain.size() / (9 * outputs);
  const int numbers = sizeof(float) / sizeof(Number);  // in a lane
  std::vector<Number> packed;
  for (int vector = 0; vector < outputs; vector += lanes) {
    const Inputs inputs(vector, lanes, width);
    const int count = inputs.Multiplied(width);
    for (int ky = 0; ky < 3; ++ky) {
      for (int first = 0; first < count; first += numbers) {
        for (int kx = 0; kx < 3; ++kx) {
          for (int output = vector; output < vector + lanes; ++output) {
            for (int i = first; i < first + numbers; ++i) {
              // Of the output's group.
              const int channel = count == width ? i :
                  inputs.first + i - output / width * width;
              packed.push_back(channel < 0 || channel >= width ? 0 :
                  plain[(output * width + channel) * 9 + ky * 3 + kx]);
            }
          }
        }
      }
    }
  }
  return AsFloats(std::move(packed));
}

template <typename T>
class Grouped3x3 : public Step {
 public:
  Grouped3x3(const std::vector<const Convolution*>& branches,
      const Value& input, const Value& output, bool mean)
      : mean_(mean), threads_(omp_get_max_threads()) {
    shape_.batch = input.shape[0];
    shape_.channels = input.shape[1];
    shape_.group_width = branches[0]->in_per_group();
    shape_.height = input.shape[2];
    shape_.width = input.shape[3];
    shape_.out_height = output.shape[2];
    shape_.out_width = output.shape[3];
    const int numbers = FindKernel<T>(*branches[0]).inputs;  // in a lane
    // Whole groups, and whole cache lines where there are as many channels.
    shape_.unit = std::lcm(shape_.group_width, shape_.channels % 16 ? 8 :
        numbers == 1 || shape_.channels % 32 ? 16 : 32);
    shape_.pixel = shape_.unit / numbers;
    shape_.pad = 0;
    for (const Convolution* op : branches) {
      const Kernel kernel = FindKernel<T>(*op);
      const float* weights = op->weights->InOwn(
          [&](const std::vector<float>& plain) {
        return kernel.inputs == 2 ?
            Pack<BFloat16>(plain, op->num_output, kernel.lanes) :
            Pack<float>(plain, op->num_output, kernel.lanes);
      });
      branches_.push_back({kernel, weights, op->bias,
          op->relu ? op->negative_slope : 1, op->pad[0]});
      shape_.pad = std::max(shape_.pad, op->pad[0]);
    }
    const int lanes = branches_[0].kernel.lanes;
    // On lines of fewer pixels than grouped_3x3_tiles.hpp has sums for. Floats of two
    // vectors, and their inputs, would not fit the first cache.
    vectors_ = numbers == 2 && shape_.group_width == 32 && shape_.out_width < 14 ?
        2 : 1;
    size_t offset = 0;
    for (int c = 0; c < shape_.channels; c += lanes) {
      offsets_.push_back(offset);
      offset += 9 * lanes * Inputs(c, lanes, shape_.group_width)
          .Multiplied(shape_.group_width) / numbers;
    }
    offsets_.push_back(offset);
  }

  virtual void Run(const Buffers& buffers) {
    const int units = shape_.channels / shape_.unit;
    Parallel(shape_.batch * units, [&](int i) {
      Unit(i / units, i % units * shape_.unit, buffers,
           buffers.scratch + omp_get_thread_num() * shape_.padded_floats());
    });
  }

  virtual size_t ScratchFloats() const {
    return threads_ * shape_.padded_floats();
  }
  virtual std::string Implementation() const {
    return branches_[0].kernel.name;
  }

 private:
  void Unit(int n, int channel, const Buffers& buffers, float* padded) const {
    const size_t image = static_cast<size_t>(shape_.height) * shape_.width;
    const size_t first = n * image * shape_.channels + channel;
    const int width = shape_.group_width, lanes = branches_[0].kernel.lanes;
    const int numbers = branches_[0].kernel.inputs;
    if (numbers == 2) {
      Pad(shape_, buffers.input<uint16_t>(0) + first,
          reinterpret_cast<uint16_t*>(padded));
    } else {
      Pad(shape_, buffers.input<T>(0) + first, padded);
    }
    const size_t area =
        static_cast<size_t>(shape_.out_height) * shape_.out_width;
    const int step = vectors_ * lanes;
    for (int c = channel; c < channel + shape_.unit; c += step) {
      const size_t *weights = &offsets_[c / lanes], *after = weights + vectors_;
      float total[32] = {0};
      const Inputs inputs(c, lanes, width);
      for (size_t b = 0; b < branches_.size(); ++b) {
        const Branch& branch = branches_[b];
        const GroupedPlane plane = {
            width == 4 ? GroupedPlane::GROUPS_OF_4 :
            width == 8 ? GroupedPlane::GROUPS_OF_8 : GroupedPlane::ALL,
            inputs.count / numbers, vectors_, weights[1] - weights[0],
            shape_.pixel,
            shape_.padded_width() * shape_.pixel, shape_.out_height,
            shape_.out_width, shape_.channels, branch.slope,
            b + 1 < branches_.size() ? branches_[b + 1].weights + *weights :
            after != &offsets_.back() ? branches_[0].weights + *after : NULL,
            static_cast<int>(*after - *weights)};
        const size_t shift = static_cast<size_t>(shape_.pad - branch.pad) *
            (shape_.padded_width() + 1) * shape_.pixel;
        branch.kernel.plane(plane,
            padded + shift + (inputs.first - channel) / numbers,
            branch.weights + *weights,
            branch.bias.data() + c,
            buffers.output<T>(b) + n * area * shape_.channels + c, total);
      }
      if (mean_) {
        float* mean = buffers.output(branches_.size()) +
            n * shape_.channels + c;
        for (int i = 0; i < step; ++i) { mean[i] = total[i] / area; }
      }
    }
  }

  std::vector<Branch> branches_;
  int vectors_;  // that are computed together
  std::vector<size_t> offsets_;  // of the weights of each vector of outputs, and all
  Shape shape_;
  const bool mean_;
  const int threads_;
};

}  // namespace

bool FitsGrouped3x3(const Convolution& op) {
  const bool square = op.stride[0] == op.stride[1] && op.pad[0] == op.pad[1] &&
      op.dilation[0] == op.dilation[1];
  return op.inputs.size() == 1 && op.kernel[0] == 3 && op.kernel[1] == 3 &&
      square && op.group > 1 && op.in_per_group() <= 32 &&
      op.num_output == op.in_per_group() * op.group &&
      FindKernel<float>(op).plane != NULL;
}

std::unique_ptr<Step> MakeGrouped3x3(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean) {
  if (input.type == Type::BF16 && FitsGrouped3x3Amx(branches)) {
    return MakeGrouped3x3Amx(branches, input, output, mean);
  }
  return ForType(input.type, [&](auto number) {
    return std::unique_ptr<Step>(
        new Grouped3x3<decltype(number)>(branches, input, output, mean));
  });
}

}  // namespace engine
}  // namespace caffe
