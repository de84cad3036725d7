#include "engine/kernels/pointwise.hpp"

#include <omp.h>

#include <algorithm>
#include <vector>

#include "engine/onednn.hpp"
#include "engine/parallel.hpp"

#ifdef __AVX2__
#include "engine/kernels/items.hpp"
#include "engine/kernels/vector_avx2.hpp"
#include "engine/kernels/panels.hpp"  // NOLINT: of Vectors

namespace caffe {
namespace engine {

namespace {

const int kLanes = Vector::kLanes, kRows = Vector::kRows;
const int kBlock = 24;  // tiles that are packed at a time, in the second cache
// An input of a row is packed in one cycle, and multiplied by a panel in 1.5.
const double kPacking = 1 / 1.5;
const int kDepth = 256;  // inputs, or some more, that are multiplied at a time

struct Product {
  explicit Product(const Convolution& op)
      : inputs(op.in_per_group()), outputs(op.num_output),
        depths(inputs / kLanes, std::max(1, (inputs + kDepth / 2) / kDepth)),
        panels(outputs / kLanes, Parts(outputs / kLanes, 3)) {}

  int inputs, outputs;
  Split depths;  // inputs, by vectors
  Split panels;  // outputs, by vectors: of three or two, or the only one
};

// [part of the inputs][panel][input][output of the panel]
std::vector<float> Pack(const Product& product,
                        const std::vector<float>& plain) {
  std::vector<float> packed;
  packed.reserve(plain.size());
  for (int d = 0; d < product.depths.parts; ++d) {
    for (int p = 0; p < product.panels.parts; ++p) {
      for (int input = product.depths.begin(d) * kLanes;
           input < product.depths.begin(d + 1) * kLanes; ++input) {
        for (int output = product.panels.begin(p) * kLanes;
             output < product.panels.begin(p + 1) * kLanes; ++output) {
          packed.push_back(
              plain[static_cast<size_t>(output) * product.inputs + input]);
        }
      }
    }
  }
  return packed;
}

class Pointwise : public Step {
 public:
  explicit Pointwise(const Convolution& op)
      : product_(op), in_shape_(op.inputs[0]->shape),
        out_shape_(op.outputs[0]->shape), stride_{op.stride[0], op.stride[1]},
        residual_(op.inputs.size() > 1), bias_(op.bias),
        slope_(op.relu ? op.negative_slope : 1),
        threads_(omp_get_max_threads()),
        rows_(out_shape_[0] * out_shape_[2] * out_shape_[3]),
        items_(Parts(rows_, kRows), kBlock, product_.panels.parts, threads_,
               kPacking),
        blocks_(Parts(rows_, kRows), items_.tiles),
        groups_(product_.panels.parts, items_.panels),
        weights_(op.weights->InOwn([this](const std::vector<float>& plain) {
          return Pack(product_, plain);
        })) {}

  virtual void Run(const Buffers& buffers) {
    ParallelAsFree(blocks_.parts * groups_.parts, [&](int i) {
      Item(i % blocks_.parts, i / blocks_.parts, buffers,
           buffers.scratch + omp_get_thread_num() * PackedFloats());
    });
  }
  virtual size_t ScratchFloats() const { return threads_ * PackedFloats(); }
  virtual std::string Implementation() const { return "own AVX2"; }

 private:
  size_t PackedFloats() const {
    const int deepest = Parts(product_.depths.whole, product_.depths.parts);
    return static_cast<size_t>(kBlock) * kRows * deepest * kLanes;
  }

  // A row's inputs: the channels of a position.
  const float* Row(const float* in, size_t row) const {
    const size_t width = out_shape_[3], area = out_shape_[2] * width;
    const size_t y = row % area / width * stride_[0];
    const size_t x = row % width * stride_[1];
    return in + ((row / area * in_shape_[2] + y) * in_shape_[3] + x) *
        product_.inputs;
  }

  void PackRows(const float* in, int begin, int end, int depth,
                float* packed) const {
    const int first = product_.depths.begin(depth);
    const int vectors = product_.depths.begin(depth + 1) - first;
    for (int row = begin; row < end; ++row) {
      const int place = row - begin;
      const float* from = Row(in, row) + first * kLanes;
      float* to = packed + place / kRows * kRows * vectors * kLanes +
          place % kRows * kLanes;
      for (int i = 0; i < vectors; ++i) {
        _mm256_store_ps(to + i * kRows * kLanes,
                        _mm256_loadu_ps(from + i * kLanes));
      }
    }
  }

  // A block of rows with a group of panels.
  void Item(int block, int group, const Buffers& buffers, float* packed) const {
    const int begin = blocks_.begin(block) * kRows;
    const int end = std::min(blocks_.begin(block + 1) * kRows, rows_);
    const int first = groups_.begin(group), last = groups_.begin(group + 1) - 1;
    const size_t outputs = product_.outputs;
    float* out = buffers.output(0) + begin * outputs;
    const float* residual =
        residual_ ? buffers.input(1) + begin * outputs : NULL;
    const int depths = product_.depths.parts;
    for (int depth = 0; depth < depths; ++depth) {
      PackRows(buffers.input(0), begin, end, depth, packed);
      for (int panel = first; panel <= last; ++panel) {
        const int column = product_.panels.begin(panel) * kLanes;
        const float* next = panel < last ? Weights(depth, panel + 1) :
            depth + 1 < depths ? Weights(depth + 1, first) :
            Weights(depth, panel);
        const int vectors = product_.panels.begin(panel + 1) - column / kLanes;
        const int deep = product_.depths.begin(depth + 1) -
            product_.depths.begin(depth);
        const size_t bytes = sizeof(float) * kLanes * kLanes * vectors * deep;
        const Multiplication m = {Weights(depth, panel), deep,
            depth == 0 ? bias_.data() + column : NULL,
            depth + 1 == depths ? slope_ : 1, outputs,
            reinterpret_cast<const char*>(next),
            bytes / Parts(end - begin, kRows)};
        const float* from = depth > 0 ? out : residual;
        Panel(vectors, m, end - begin, packed, from ? from + column : NULL,
              out + column);
      }
    }
  }

  const float* Weights(int depth, int panel) const {
    const size_t first = product_.depths.begin(depth) * kLanes;
    const size_t deep = product_.depths.begin(depth + 1) * kLanes - first;
    return weights_ + first * product_.outputs +
        product_.panels.begin(panel) * kLanes * deep;
  }

  const Product product_;
  const std::vector<int> in_shape_, out_shape_;
  const int stride_[2];
  const bool residual_;
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
      op.pad[1] == 0 && op.group == 1 && op.in_per_group() % kLanes == 0 &&
      op.num_output % kLanes == 0 && !Has(dnnl::cpu_isa::avx512_core);
}

std::unique_ptr<Step> MakePointwise(const Convolution& op) {
  return std::unique_ptr<Step>(new Pointwise(op));
}

}  // namespace engine
}  // namespace caffe

#else

namespace caffe {
namespace engine {

bool FitsPointwise(const Convolution&) { return false; }
std::unique_ptr<Step> MakePointwise(const Convolution&) { return nullptr; }

}  // namespace engine
}  // namespace caffe
#endif
