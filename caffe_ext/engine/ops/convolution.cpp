#include "engine/ops/convolution.hpp"

#include "caffe/common.hpp"
#include "engine/kernels/grouped_3x3.hpp"
#include "engine/kernels/pointwise.hpp"
#include "engine/kernels/winograd.hpp"
#include "engine/linear_step.hpp"
#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

namespace {

using dnnl::memory;

int OutputSize(int size, int kernel, int stride, int pad, int dilation) {
  return (size + 2 * pad - (dilation * (kernel - 1) + 1)) / stride + 1;
}

// What lies beyond the last window as Caffe's formula has it.
memory::dims FarPadding(const Convolution& op) {
  memory::dims far;
  for (int i = 0; i < 2; ++i) {
    const int reach = op.dilation[i] * (op.kernel[i] - 1) + 1;
    far.push_back((op.outputs[0]->shape[2 + i] - 1) * op.stride[i] + reach -
                  op.inputs[0]->shape[2 + i] - op.pad[i]);
  }
  return far;
}

}  // namespace

void Convolution::InferShapes() {
  const std::vector<int>& in = inputs[0]->shape;
  CHECK_EQ(in.size(), 4) << "Convolution of " << in.size() << " axes";
  CHECK_EQ(in[1], in_per_group() * group) << "channels of " << inputs[0]->name;
  std::vector<int> out = {in[0], num_output, 0, 0};
  for (int i = 0; i < 2; ++i) {
    out[2 + i] = OutputSize(in[2 + i], kernel[i], stride[i], pad[i],
                            dilation[i]);
    CHECK_GT(out[2 + i], 0) << "the input is smaller than the kernel";
  }
  if (inputs.size() > 1) {
    CHECK(inputs[1]->shape == out) << "the sum's other value, " << inputs[1]->name
        << ", is " << Blob<float>(inputs[1]->shape).shape_string();
  }
  outputs[0]->shape = out;
}

double Convolution::MultiplyAdds() const {
  return static_cast<double>(outputs[0]->count()) * in_per_group() *
      kernel[0] * kernel[1];
}

// Of vectors, in squeeze and excitation, there is nothing to gain.
Type Convolution::OutputType(int) const {
  return !inputs[0]->IsVector() && (HasBF16() || FitsGrouped3x3(*this)) ?
      Type::BF16 : Type::F32;
}

std::unique_ptr<Step> Convolution::MakeStep() {
  if (FitsGrouped3x3(*this)) {
    return MakeGrouped3x3({this}, *inputs[0], *outputs[0], false);
  }
  if (FitsPointwise(*this)) {
    return MakePointwise(*this);
  }
  if (inputs[0]->type == Type::F32 && FitsWinograd(*this)) {
    return MakeWinograd(*this);
  }
  const bool residual = inputs.size() > 1;
  const dnnl::convolution_forward::primitive_desc chosen(Cpu(),
      dnnl::prop_kind::forward_inference,
      dnnl::algorithm::convolution_direct, Activations(*inputs[0]),
      memory::desc(weights->dims, DataType(inputs[0]->type),
                   memory::format_tag::any),
      onednn::Plain({num_output}),
      Activations(*outputs[0]), {stride[0], stride[1]},
      {dilation[0] - 1, dilation[1] - 1}, {pad[0], pad[1]}, FarPadding(*this),
      LinearAttributes(residual, relu, negative_slope));
  return std::unique_ptr<Step>(new LinearStep(
      dnnl::convolution_forward(chosen), chosen, weights.get(), bias,
      residual));
}

}  // namespace engine
}  // namespace caffe
