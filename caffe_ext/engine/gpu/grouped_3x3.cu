#include "engine/gpu/grouped_3x3.hpp"

#include <algorithm>

#include "engine/gpu/grouped_3x3.cuh"
#include "engine/split.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

using namespace grouped_3x3;  // NOLINT(build/namespaces)

// As mma.sync wants them in a thread's registers: outputs in eights, taps, lanes,
// chunks of inputs, what a register holds. Groups of 4: the other group's are zeros.
template <typename T>
std::vector<float> Pack(const Convolution& op) {
  const int width = op.in_per_group(), inputs = InputsOfEight(width);
  const std::vector<float> plain = op.weights->Plain();
  std::vector<float> packed;
  for (int first = 0; first < op.num_output; first += 8) {
    for (int tap = 0; tap < kTaps; ++tap) {
      for (int lane = 0; lane < 32; ++lane) {
        for (int r = 0; r < inputs; r += kIn16Bytes<T>) {
          for (int i = 0; i < kInRegister<T>; ++i) {
            const int output = first + lane / 4;
            const int input = first / inputs * inputs + r +
                lane % 4 * kInRegister<T> + i;
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
          gpu->Constant<uint32_t>(op, "grouped 3x3", type_, [&] {
            return ForGpuType(type_, [op](auto number) {
              return Pack<decltype(number)>(*op);
            });
          }),
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
    while (SharedBytes() + kVariables > gpu->shared_bytes()) {
      SetTiles(most /= 2);
    }
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
    return static_cast<size_t>(geometry_.in_h) * geometry_.in_w * kChannels *
        (type_ == Type::F32 ? 4 : 2);
  }
  int Blocks() const {
    return geometry_.tiles_h * geometry_.tiles_w * batch_ *
        (geometry_.channels / kChannels);
  }

  template <int kBranches>
  void ForType(size_t first, const Buffers& buffers) {
    ForGpuType(type_, [&](auto number) {
      ForWidth<decltype(number), kBranches>(first, buffers);
    });
  }
  template <typename T, int kBranches>
  void ForWidth(size_t first, const Buffers& buffers) {
    switch (width_) {
      case 4: return OfWidth<T, 4, kBranches>(first, buffers);
      case 8: return OfWidth<T, 8, kBranches>(first, buffers);
      case 16: return OfWidth<T, 16, kBranches>(first, buffers);
      default: return OfWidth<T, 32, kBranches>(first, buffers);
    }
  }
  template <typename T, int kWidth, int kBranches>
  void OfWidth(size_t first, const Buffers& buffers) {
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
    Launch(Grouped3x3<T, kWidth, kBranches>,
           dim3(g.tiles_h * g.tiles_w, g.channels / kChannels, batch_), kThreads,
           SharedBytes(), gpu_->stream(), g, arguments);
  }

  // Of shared memory, no less than the kernel's own variables take beside the tile.
  static const size_t kVariables = 512;

  Gpu* const gpu_;
  const Type type_;
  const int width_, batch_;
  const bool mean_;
  Geometry geometry_;
  std::vector<Branch> branches_;
  const unsigned* finished_ = NULL;
};

}  // namespace

bool FitsGpuGrouped3x3(const Convolution& op, const Gpu& gpu) {
  const int width = op.in_per_group();
  const bool widths = width == 4 || width == 8 || width == 16 || width == 32;
  bool geometry = true;
  for (int i = 0; i < 2; ++i) {
    geometry = geometry && op.kernel[i] == 3 && op.stride[i] == op.stride[0] &&
        op.dilation[i] == op.dilation[0] && op.pad[i] == op.dilation[0];
  }
  // What a tile's inputs take in shared memory grows with stride and dilation.
  return gpu.has_mma() && geometry && widths &&
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
