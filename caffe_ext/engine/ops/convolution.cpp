#include "engine/ops/convolution.hpp"

#include <cstring>
#include <string>
#include <unordered_map>

#include "caffe/common.hpp"
#include "engine/kernels/grouped_3x3.hpp"
#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

namespace {

using dnnl::memory;

int OutputSize(int size, int kernel, int stride, int pad, int dilation) {
  return (size + 2 * pad - (dilation * (kernel - 1) + 1)) / stride + 1;
}

class OneDnnConvolution : public Step {
 public:
  explicit OneDnnConvolution(const Convolution& op)
      : residual_(op.inputs.size() > 1),
        bytes_(op.outputs[0]->count() * sizeof(float)) {
    const memory::data_type f32 = memory::data_type::f32;
    const memory::desc source = Activations(*op.inputs[0]);
    const memory::desc target = Activations(*op.outputs[0]);
    const memory::desc weights(op.weights->dims, f32, memory::format_tag::any);
    const memory::desc bias({op.num_output}, f32, memory::format_tag::x);
    dnnl::post_ops post;
    if (residual_) {
      post.append_sum(1);
    }
    AppendRelu(op.relu, op.negative_slope, &post);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::convolution_forward::primitive_desc chosen(Cpu(),
        dnnl::prop_kind::forward_inference,
        dnnl::algorithm::convolution_direct, source, weights, bias, target,
        {op.stride[0], op.stride[1]},
        {op.dilation[0] - 1, op.dilation[1] - 1}, {op.pad[0], op.pad[1]},
        FarPadding(op), attributes);
    primitive_ = dnnl::convolution_forward(chosen);
    implementation_ = std::string("oneDNN ") + chosen.impl_info_str();
    source_ = memory(source, Cpu(), NULL);
    target_ = memory(target, Cpu(), NULL);
    weights_ = op.weights->In(chosen.weights_desc());
    bias_ = memory(bias, Cpu());
    std::memcpy(bias_.get_data_handle(), op.bias.data(),
                op.bias.size() * sizeof(float));
    scratchpad_ = memory(chosen.scratchpad_desc(), Cpu(), NULL);
    arguments_ = {{DNNL_ARG_SRC, source_}, {DNNL_ARG_DST, target_},
                  {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_BIAS, bias_},
                  {DNNL_ARG_SCRATCHPAD, scratchpad_}};
  }

  virtual void Run(const Buffers& buffers) {
    if (residual_ && buffers.inputs[1] != buffers.outputs[0]) {
      std::memcpy(buffers.outputs[0], buffers.inputs[1], bytes_);
    }
    source_.set_data_handle(buffers.inputs[0]);
    target_.set_data_handle(buffers.outputs[0]);
    scratchpad_.set_data_handle(buffers.scratch);
    primitive_.execute(Stream(), arguments_);
  }
  virtual size_t ScratchFloats() const {
    return scratchpad_.get_desc().get_size() / sizeof(float) + 1;
  }
  virtual std::string Implementation() const { return implementation_; }

 private:
  // What lies beyond the last window as Caffe's formula has it.
  static memory::dims FarPadding(const Convolution& op) {
    memory::dims far;
    for (int i = 0; i < 2; ++i) {
      const int reach = op.dilation[i] * (op.kernel[i] - 1) + 1;
      far.push_back((op.outputs[0]->shape[2 + i] - 1) * op.stride[i] + reach -
                    op.inputs[0]->shape[2 + i] - op.pad[i]);
    }
    return far;
  }

  const bool residual_;
  const size_t bytes_;
  dnnl::convolution_forward primitive_;
  std::string implementation_;
  memory source_, target_, weights_, bias_, scratchpad_;
  std::unordered_map<int, memory> arguments_;
};

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
  outputs[0]->shape = out;
}

double Convolution::MultiplyAdds() const {
  return static_cast<double>(outputs[0]->count()) * in_per_group() *
      kernel[0] * kernel[1];
}

std::unique_ptr<Step> Convolution::MakeStep() {
  if (FitsGrouped3x3(*this)) {
    return MakeGrouped3x3({this}, *inputs[0], *outputs[0], false);
  }
  return std::unique_ptr<Step>(new OneDnnConvolution(*this));
}

}  // namespace engine
}  // namespace caffe
