#include "engine/kernels/pointwise.hpp"

#include <omp.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/bfloat16.hpp"
#include "engine/kernels/items.hpp"
#include "engine/kernels/panel_kernel.hpp"
#include "engine/onednn.hpp"
#include "engine/parallel.hpp"

namespace caffe {
namespace engine {

namespace {

const int kBlock = 24;  // tiles that are multiplied by panel after panel
// Rows come from further away the first time, which counts as so many of a panel's
// products; .7 did as well.
const double kFirstReading = .3;
const int kDepth = 256;  // inputs, or some more, that are multiplied at a time

// The kernel that has vectors as long as may be, or null.
const PanelKernel* Find(const Convolution& op) {
  const bool bf16 = op.inputs[0]->type == Type::BF16;
  const PanelKernel* kernel =
      !bf16 ? Has(dnnl::cpu_isa::avx512_core) ? PanelsAvx512() : PanelsAvx2() :
      HasBF16() && !Has(dnnl::cpu_isa::avx512_core_amx) ? PanelsAvx512BF16() :
      NULL;
  return kernel && op.in_per_group() % (kernel->lanes * kernel->inputs) == 0 &&
      op.num_output % kernel->lanes == 0 ? kernel : NULL;
}

// Inputs are floats; or, of bf16, pairs.
struct Product {
  Product(const Convolution& op, const PanelKernel& kernel)
      : lanes(kernel.lanes), inputs(op.in_per_group() / kernel.inputs),
        outputs(op.num_output),
        depths(inputs / lanes, std::max(1, (inputs + kDepth / 2) / kDepth)),
        panels(outputs / lanes, Parts(outputs / lanes, kernel.vectors)) {}

  int lanes, inputs, outputs;
  Split depths;  // inputs, by vectors
  Split panels;  // outputs, by vectors
};

// [panel][input][output of the panel][number of the input]
template <typename Number>
std::vector<float> Pack(const Product& product, const std::vector<float>& plain) {
  const size_t numbers = sizeof(float) / sizeof(Number);
  std::vector<Number> packed(plain.size());
  Parallel(product.panels.parts, [&](int p) {
    const int begin = product.panels.begin(p) * product.lanes;
    const int end = product.panels.begin(p + 1) * product.lanes;
    Number* to = &packed[static_cast<size_t>(begin) * product.inputs * numbers];
    for (int input = 0; input < product.inputs; ++input) {
      for (int output = begin; output < end; ++output) {
        const size_t at = static_cast<size_t>(output) * product.inputs + input;
        for (size_t i = 0; i < numbers; ++i) { *to++ = plain[at * numbers + i]; }
      }
    }
  });
  return AsFloats(std::move(packed));
}

class Pointwise : public Step {
 public:
  explicit Pointwise(const Convolution& op)
      : kernel_(*Find(op)), product_(op, kernel_), in_shape_(op.inputs[0]->shape),
        out_shape_(op.outputs[0]->shape), stride_{op.stride[0], op.stride[1]},
        strided_(op.stride[0] > 1 || op.stride[1] > 1),
        residual_(op.inputs.size() > 1),
        short_residual_(op.inputs.back()->type == Type::BF16),
        short_output_(op.outputs[0]->type == Type::BF16), bias_(op.bias),
        slope_(op.relu ? op.negative_slope : 1),
        threads_(omp_get_max_threads()),
        rows_(out_shape_[0] * out_shape_[2] * out_shape_[3]),
        items_(Parts(rows_, kernel_.rows), kBlock, product_.panels.parts, threads_,
               kFirstReading),
        blocks_(Parts(rows_, kernel_.rows), items_.tiles),
        groups_(product_.panels.parts, items_.panels),
        weights_(op.weights->InOwn([&](const std::vector<float>& plain) {
          return ForType(op.inputs[0]->type, [&](auto number) {
            return Pack<decltype(number)>(product_, plain);
          });
        })) {}

  virtual void Run(const Buffers& buffers) {
    ParallelAsFree(blocks_.parts * groups_.parts, [&](int i) {
      Item(i % blocks_.parts, i / blocks_.parts, buffers,
           buffers.scratch + omp_get_thread_num() * ThreadFloats());
    });
  }
  virtual size_t ScratchFloats() const { return threads_ * ThreadFloats(); }
  virtual std::string Implementation() const {
    return kernel_.inputs == 2 ? "own AVX-512 BF16" :
        kernel_.lanes == 16 ? "own AVX-512" : "own AVX2";
  }

 private:
  size_t BlockRows() const {
    return Parts(blocks_.whole, blocks_.parts) * kernel_.rows;
  }
  // Of inputs that are not row by row.
  size_t GatheredFloats() const {
    return strided_ ? BlockRows() * product_.inputs : 0;
  }
  // A panel's sums of some inputs, of all rows of a block.
  size_t SumsStep() const {
    return Parts(product_.panels.whole, product_.panels.parts) * product_.lanes;
  }
  size_t ThreadFloats() const {
    return GatheredFloats() + BlockRows() * SumsStep();
  }

  // Rows of inputs, the channels of positions, one after the other.
  const float* Rows(const float* in, int begin, int end, float* gathered) const {
    const size_t inputs = product_.inputs;
    if (!strided_) {
      return in + begin * inputs;
    }
    const int width = out_shape_[3], area = out_shape_[2] * width;
    for (int row = begin; row < end; ++row) {
      const size_t y = row % area / width * stride_[0];
      const size_t x = row % width * stride_[1];
      std::copy_n(in + ((static_cast<size_t>(row / area) * in_shape_[2] + y) *
                        in_shape_[3] + x) * inputs,
                  inputs, gathered + (row - begin) * inputs);
    }
    return gathered;
  }

  // A block of rows with a group of panels.
  void Item(int block, int group, const Buffers& buffers, float* scratch) const {
    const int begin = blocks_.begin(block) * kernel_.rows;
    const int end = std::min(blocks_.begin(block + 1) * kernel_.rows, rows_);
    const float* rows = Rows(buffers.input(0), begin, end, scratch);
    for (int p = groups_.begin(group); p < groups_.begin(group + 1); ++p) {
      Panel(p, begin, end, buffers, rows, scratch + GatheredFloats());
    }
  }

  void Panel(int panel, int begin, int end, const Buffers& buffers,
             const float* rows, float* partial) const {
    const size_t lanes = product_.lanes, inputs = product_.inputs;
    const int column = product_.panels.begin(panel) * lanes;
    const int vectors = product_.panels.begin(panel + 1) - column / lanes;
    const size_t first =
        static_cast<size_t>(begin) * product_.outputs + column;
    const Matrix sums = {partial, SumsStep(), false};
    const float* const weights = weights_ + column * inputs;
    for (int d = 0; d < product_.depths.parts; ++d) {
      const size_t at = product_.depths.begin(d) * lanes;
      const size_t after = product_.depths.begin(d + 1) * lanes;
      const bool last = after == inputs;
      const bool end_of_weights = last && panel + 1 == product_.panels.parts;
      Multiplication m;
      m.rows = rows + at;
      m.row_step = inputs;
      m.weights = weights + at * vectors * lanes;
      m.vectors = vectors;
      m.depth = (after - at) / lanes;
      m.bias = d > 0 ? NULL : bias_.data() + column;
      m.slope = last ? slope_ : 1;
      m.from = d > 0 ? sums :
          residual_ ? At(buffers.inputs[1], short_residual_, first) : Matrix();
      m.to = last ? At(buffers.outputs[0], short_output_, first) : sums;
      m.next = end_of_weights ? m.weights : weights + after * vectors * lanes;
      kernel_.multiply(m, end - begin);
    }
  }

  Matrix At(char* data, bool bf16, size_t first) const {
    return {data + first * (bf16 ? sizeof(BFloat16) : sizeof(float)),
            static_cast<size_t>(product_.outputs), bf16};
  }

  const PanelKernel& kernel_;
  const Product product_;
  const std::vector<int> in_shape_, out_shape_;
  const int stride_[2];
  const bool strided_;
  const bool residual_, short_residual_, short_output_;
  const std::vector<float> bias_;
  const float slope_;
  const int threads_;
  const int rows_;  // positions of all images
  const Items items_;
  const Split blocks_;  // of tiles
  const Split groups_;  // of panels
  const float* const weights_;
};

}  // namespace

bool FitsPointwise(const Convolution& op) {
  return op.kernel[0] == 1 && op.kernel[1] == 1 && op.pad[0] == 0 &&
      op.pad[1] == 0 && op.group == 1 && Find(op) != NULL;
}

std::unique_ptr<Step> MakePointwise(const Convolution& op) {
  return std::unique_ptr<Step>(new Pointwise(op));
}

}  // namespace engine
}  // namespace caffe
