#include "engine/kernels/winograd.hpp"

#include <omp.h>

#include <algorithm>
#include <vector>

#include "engine/kernels/items.hpp"
#include "engine/kernels/panel_kernel.hpp"
#include "engine/kernels/winograd_kernel.hpp"
#include "engine/onednn.hpp"
#include "engine/parallel.hpp"

namespace caffe {
namespace engine {

namespace {

// As transformed: four times what they were, of 3x3. More gain little, where a batch
// is one image, for the memory that they take.
const size_t kMostWeightBytes = 10 << 20;
const size_t kBlockBytes = 1 << 20;  // of inputs that are transformed at a time
// Between points, lest all lie in the same places of a cache.
const size_t kGap = 64 / sizeof(float);

// The kernel that has vectors as long as may be, or null.
const WinogradKernel* Find(const Convolution& op) {
  for (const WinogradKernel* kernel : {
           Has(dnnl::cpu_isa::avx512_core) ?
               WinogradAvx512(op.kernel[0], op.kernel[1]) : NULL,
           WinogradAvx2(op.kernel[0], op.kernel[1])}) {
    if (kernel && op.in_per_group() % kernel->lanes == 0 &&
        op.num_output % kernel->lanes == 0) {
      return kernel;
    }
  }
  return NULL;
}

size_t Points(const WinogradKernel& kernel) {
  return kernel.points[0] * kernel.points[1];
}

// Of an input of a window each point takes about (points of both axes + 2) / 16 cycles
// to transform, and 1.5 (with AVX2; 2 with AVX-512) to multiply by a panel.
double Packing(const WinogradKernel& kernel) {
  return (kernel.points[0] + kernel.points[1] + 2) / 24.;
}

class Winograd : public Step {
 public:
  explicit Winograd(const Convolution& op)
      : kernel_(*Find(op)),
        products_(kernel_.lanes == 16 ? *PanelsAvx512() : *PanelsAvx2()),
        points_(Points(kernel_)), shape_(ShapeOf(op)),
        windows_(op.outputs[0]->shape[0] * shape_.down * shape_.across),
        residual_(op.inputs.size() > 1), bias_(op.bias), zeros_(shape_.inputs),
        slope_(op.relu ? op.negative_slope : 1),
        threads_(omp_get_max_threads()),
        panels_(shape_.outputs / kernel_.lanes,
                Parts(shape_.outputs / kernel_.lanes, products_.vectors)),
        items_(Parts(windows_, products_.rows), Block(), panels_.parts, threads_,
               Packing(kernel_)),
        blocks_(Parts(windows_, products_.rows), items_.tiles),
        groups_(panels_.parts, items_.panels),
        weights_(op.weights->InOwn([this](const std::vector<float>& plain) {
          return Pack(plain);
        })) {
    const size_t rows = Parts(blocks_.whole, blocks_.parts) * products_.rows;
    shape_.input_step = rows * shape_.inputs + kGap;
    shape_.sum_step =
        rows * Parts(panels_.whole, panels_.parts) * kernel_.lanes + kGap;
  }

  virtual void Run(const Buffers& buffers) {
    ParallelAsFree(blocks_.parts * groups_.parts, [&](int i) {
      Item(i % blocks_.parts, i / blocks_.parts, buffers,
           buffers.scratch + omp_get_thread_num() * ThreadFloats());
    });
  }
  virtual size_t ScratchFloats() const { return threads_ * ThreadFloats(); }
  virtual std::string Implementation() const {
    return kernel_.lanes == 16 ? "own Winograd AVX-512" : "own Winograd AVX2";
  }

 private:
  WinogradShape ShapeOf(const Convolution& op) const {
    const std::vector<int>& in = op.inputs[0]->shape;
    const std::vector<int>& out = op.outputs[0]->shape;
    return {in[1], out[1], in[2], in[3], out[2], out[3], {op.pad[0], op.pad[1]},
            Parts(out[2], kernel_.outputs[0]),
            Parts(out[3], kernel_.outputs[1]), 0, 0};
  }

  // Tiles of windows.
  int Block() const {
    return std::max<size_t>(1, kBlockBytes / (sizeof(float) * points_ *
                                              products_.rows * shape_.inputs));
  }
  size_t ThreadFloats() const {
    return points_ * (shape_.input_step + shape_.sum_step);
  }

  // [panel][point][input][output of the panel]
  std::vector<float> Pack(const std::vector<float>& plain) const {
    std::vector<float> packed(points_ * shape_.inputs * shape_.outputs);
    Parallel(panels_.parts, [&](int panel) {
      const int begin = panels_.begin(panel) * kernel_.lanes;
      const int end = panels_.begin(panel + 1) * kernel_.lanes;
      float* to = &packed[points_ * shape_.inputs * begin];
      for (int y = 0; y < kernel_.points[0]; ++y) {
        for (int x = 0; x < kernel_.points[1]; ++x) {
          for (int input = 0; input < shape_.inputs; ++input) {
            for (int output = begin; output < end; ++output) {
              *to++ = AtPoint(y, x, &plain[
                  (static_cast<size_t>(output) * shape_.inputs + input) *
                  kernel_.taps[0] * kernel_.taps[1]]);
            }
          }
        }
      }
    });
    return packed;
  }

  double AtPoint(int y, int x, const float* taps) const {
    const double* down = kernel_.kernel[0] + y * kernel_.taps[0];
    const double* across = kernel_.kernel[1] + x * kernel_.taps[1];
    double sum = 0;
    for (int i = 0; i < kernel_.taps[0]; ++i) {
      for (int j = 0; j < kernel_.taps[1]; ++j) {
        sum += down[i] * across[j] * *taps++;
      }
    }
    return sum;
  }

  // A block of windows with a group of panels.
  void Item(int block, int group, const Buffers& buffers, float* inputs) const {
    const int begin = blocks_.begin(block) * products_.rows;
    const int end = std::min(blocks_.begin(block + 1) * products_.rows, windows_);
    float* sums = inputs + points_ * shape_.input_step;
    kernel_.transform_inputs(shape_, buffers.input(0), zeros_.data(), begin, end,
                             inputs);
    for (int panel = groups_.begin(group); panel < groups_.begin(group + 1);
         ++panel) {
      const int first = panels_.begin(panel);
      const int vectors = panels_.begin(panel + 1) - first;
      const size_t size =
          static_cast<size_t>(shape_.inputs) * vectors * kernel_.lanes;
      const float* weights =
          weights_ + points_ * shape_.inputs * first * kernel_.lanes;
      for (size_t point = 0; point < points_; ++point, weights += size) {
        const bool last = panel + 1 == panels_.parts && point + 1 == points_;
        const Matrix to = {sums + point * shape_.sum_step,
            static_cast<size_t>(vectors) * kernel_.lanes, false};
        products_.multiply(
            {inputs + point * shape_.input_step, static_cast<size_t>(shape_.inputs),
             weights, vectors, shape_.inputs / kernel_.lanes, NULL, 1, {}, to,
             last ? weights : weights + size}, end - begin);
      }
      kernel_.transform_sums(shape_, sums, begin, end, first * kernel_.lanes,
                             vectors, bias_.data(), slope_,
                             residual_ ? buffers.input(1) : NULL,
                             buffers.output(0));
    }
  }

  const WinogradKernel& kernel_;
  const PanelKernel& products_;
  const size_t points_;
  WinogradShape shape_;
  const int windows_;  // of all images
  const bool residual_;
  const std::vector<float> bias_, zeros_;
  const float slope_;
  const int threads_;
  const Split panels_;  // outputs, by vectors
  const Items items_;
  const Split blocks_;  // of tiles of windows
  const Split groups_;  // of panels
  const float* const weights_;
};

}  // namespace

bool FitsWinograd(const Convolution& op) {
  if (op.group > 1 || op.stride[0] > 1 || op.stride[1] > 1 ||
      op.dilation[0] > 1 || op.dilation[1] > 1) {
    return false;
  }
  const WinogradKernel* kernel = Find(op);
  return kernel && sizeof(float) * Points(*kernel) * op.in_per_group() *
      op.num_output <= kMostWeightBytes;
}

std::unique_ptr<Step> MakeWinograd(const Convolution& op) {
  return std::unique_ptr<Step>(new Winograd(op));
}

}  // namespace engine
}  // namespace caffe
