#include "engine/ops/inner_product.hpp"

#include <cstring>
#include <string>
#include <unordered_map>

#include "caffe/common.hpp"
#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

namespace {

using dnnl::memory;

class OneDnnInnerProduct : public Step {
 public:
  explicit OneDnnInnerProduct(const InnerProduct& op) {
    const memory::data_type f32 = memory::data_type::f32;
    const memory::dim batch = op.inputs[0]->shape[0];
    const memory::desc source({batch, op.weights->dims[1]}, f32,
                              memory::format_tag::ab);
    const memory::desc target({batch, op.num_output}, f32,
                              memory::format_tag::ab);
    const memory::desc bias({op.num_output}, f32, memory::format_tag::x);
    dnnl::post_ops post;
    AppendRelu(op.relu, op.negative_slope, &post);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const dnnl::inner_product_forward::primitive_desc chosen(Cpu(),
        dnnl::prop_kind::forward_inference, source,
        memory::desc(op.weights->dims, f32, memory::format_tag::any), bias,
        target, attributes);
    primitive_ = dnnl::inner_product_forward(chosen);
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
  dnnl::inner_product_forward primitive_;
  std::string implementation_;
  memory source_, target_, weights_, bias_, scratchpad_;
  std::unordered_map<int, memory> arguments_;
};

}  // namespace

void InnerProduct::InferShapes() {
  const std::vector<int>& in = inputs[0]->shape;
  CHECK_EQ(inputs[0]->count() / in[0], weights->dims[1])
      << "values of an image in " << inputs[0]->name;
  outputs[0]->shape = {in[0], num_output};
}

std::unique_ptr<Step> InnerProduct::MakeStep() {
  return std::unique_ptr<Step>(new OneDnnInnerProduct(*this));
}

}  // namespace engine
}  // namespace caffe
