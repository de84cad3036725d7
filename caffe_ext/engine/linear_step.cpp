#include "engine/linear_step.hpp"

#include <cstring>

#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

using dnnl::memory;

LinearStep::LinearStep(const dnnl::primitive& primitive,
    const dnnl::primitive_desc_base& chosen, PackedWeights* weights,
    const std::vector<float>& bias, bool residual)
    : primitive_(primitive),
      implementation_(std::string("oneDNN ") + chosen.impl_info_str()),
      residual_(residual), source_(chosen.src_desc(0), Cpu(), NULL),
      target_(chosen.dst_desc(0), Cpu(), NULL),
      scratchpad_(chosen.scratchpad_desc(), Cpu(), NULL) {
  memory own_bias(chosen.weights_desc(1), Cpu());
  std::memcpy(own_bias.get_data_handle(), bias.data(),
              bias.size() * sizeof(float));
  arguments_ = {{DNNL_ARG_SRC, source_}, {DNNL_ARG_DST, target_},
                {DNNL_ARG_WEIGHTS, weights->In(chosen.weights_desc(0))},
                {DNNL_ARG_BIAS, own_bias},
                {DNNL_ARG_SCRATCHPAD, scratchpad_}};
}

void LinearStep::Run(const Buffers& buffers) {
  if (residual_ && buffers.inputs[1] != buffers.outputs[0]) {
    std::memcpy(buffers.outputs[0], buffers.inputs[1],
                target_.get_desc().get_size());
  }
  source_.set_data_handle(buffers.inputs[0]);
  target_.set_data_handle(buffers.outputs[0]);
  scratchpad_.set_data_handle(buffers.scratch);
  primitive_.execute(Stream(), arguments_);
}

size_t LinearStep::ScratchFloats() const {
  return scratchpad_.get_desc().get_size() / sizeof(float) + 1;
}

dnnl::primitive_attr LinearAttributes(bool residual, bool relu,
    float negative_slope) {
  dnnl::post_ops post;
  if (residual) {
    post.append_sum(1);
  }
  if (relu) {
    // oneDNN's plain ReLU turns NaN into 0; its leaky one hands NaN on.
    const float kHandsOnNaN = 1e-20f;
    post.append_eltwise(dnnl::algorithm::eltwise_relu,
                        negative_slope ? negative_slope : kHandsOnNaN, 0);
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

}  // namespace engine
}  // namespace caffe
