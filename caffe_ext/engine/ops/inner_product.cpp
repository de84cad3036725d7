#include "engine/ops/inner_product.hpp"

#include "caffe/common.hpp"
#include "engine/linear_step.hpp"
#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

using dnnl::memory;

void InnerProduct::InferShapes() {
  const std::vector<int>& in = inputs[0]->shape;
  CHECK_EQ(inputs[0]->count() / in[0], weights->dims[1])
      << "values of an image in " << inputs[0]->name;
  outputs[0]->shape = {in[0], num_output};
}

// Its scores stay floats.
Type InnerProduct::InputType(int) const {
  return HasBF16() ? Type::BF16 : Type::F32;
}

std::unique_ptr<Step> InnerProduct::MakeStep() {
  const memory::data_type type = DataType(inputs[0]->type);
  const memory::dim batch = inputs[0]->shape[0];
  const dnnl::inner_product_forward::primitive_desc chosen(Cpu(),
      dnnl::prop_kind::forward_inference,
      onednn::Plain({batch, weights->dims[1]}, type),
      memory::desc(weights->dims, type, memory::format_tag::any),
      onednn::Plain({num_output}),
      onednn::Plain({batch, num_output}),
      LinearAttributes(false, relu, negative_slope));
  return std::unique_ptr<Step>(new LinearStep(
      dnnl::inner_product_forward(chosen), chosen, weights.get(), bias,
      false));
}

}  // namespace engine
}  // namespace caffe
