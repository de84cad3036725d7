#include "engine/ops/layout.hpp"

#include "caffe/common.hpp"
#include "engine/bfloat16.hpp"
#include "engine/onednn.hpp"
#include "engine/parallel.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

class ReorderStep : public Step {
 public:
  ReorderStep(const dnnl::memory::desc& from, const dnnl::memory::desc& to)
      : from_(from), to_(to),
        reorder_(dnnl::reorder::primitive_desc(Cpu(), from, Cpu(), to)) {}

  virtual void Run(const Buffers& buffers) {
    dnnl::memory source(from_, Cpu(), buffers.inputs[0]);
    dnnl::memory target(to_, Cpu(), buffers.outputs[0]);
    reorder_.execute(Stream(), source, target);
  }
  virtual bool Shares() const { return false; }
  virtual std::string Implementation() const { return "oneDNN"; }

 private:
  const dnnl::memory::desc from_, to_;
  dnnl::reorder reorder_;
};

}  // namespace

std::unique_ptr<Step> Reorder::MakeStep() {
  return std::unique_ptr<Step>(
      new ReorderStep(Activations(*inputs[0]), Activations(*outputs[0])));
}

std::unique_ptr<Step> Convert::MakeStep() {
  const size_t count = inputs[0]->count();
  return ForType(inputs[0]->type, [&](auto from) {
    return ForType(outputs[0]->type, [&](auto to) {
      typedef decltype(from) From;
      typedef decltype(to) To;
      return std::unique_ptr<Step>(new FunctionStep(
          [=](const Buffers& buffers) {
        const From* x = buffers.input<From>(0);
        To* y = buffers.output<To>(0);
        InPieces(count, [=](size_t begin, size_t end) {
#pragma omp simd
          for (size_t i = begin; i < end; ++i) { y[i] = x[i]; }
        });
      }));
    });
  });
}

void View::InferShapes() {
  const std::vector<int>& in = inputs[0]->shape;
  const int axes = in.size();
  const int begin = axis < 0 ? axis + axes + 1 : axis;
  const int end = num_axes < 0 ? axes : begin + num_axes;
  CHECK(begin >= 0 && begin <= end && end <= axes) << "axes of a Reshape";
  std::vector<int> out(in.begin(), in.begin() + begin);
  int inferred = -1;
  size_t known = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    int dim = dims[i];
    if (dim == 0) {
      CHECK_LT(begin + i, in.size()) << "a Reshape copies an axis beyond";
      dim = in[begin + i];
    }
    if (dim == -1) {
      inferred = out.size();
      dim = 1;
    }
    out.push_back(dim);
  }
  out.insert(out.end(), in.begin() + end, in.end());
  for (int dim : out) { known *= dim; }
  if (inferred >= 0) {
    out[inferred] = known ? inputs[0]->count() / known : 0;
    known *= out[inferred];
  }
  CHECK_EQ(known, inputs[0]->count()) << "a Reshape of " << inputs[0]->name;
  outputs[0]->shape = out;
}

std::unique_ptr<Step> View::MakeStep() {
  return std::unique_ptr<Step>(new FunctionStep([](const Buffers&) {}));
}

}  // namespace engine
}  // namespace caffe
