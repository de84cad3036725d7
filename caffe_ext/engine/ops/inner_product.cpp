#include "engine/ops/inner_product.hpp"

#include "caffe/common.hpp"
#include "engine/linear_step.hpp"

namespace caffe {
namespace engine {

using dnnl::memory;

void InnerProduct::InferShapes() {
  const std::vector<int>& in = inputs[0]->shape;
  CHECK_EQ(inputs[0]->count() / in[0], weights->dims[1])
      << "values of an image in " << inputs[0]->name;
  outputs[0]->shape = {in[0], num_output};
}

std::unique_ptr<Step> InnerProduct::MakeStep() {
  const memory::data_type f32 = memory::data_type::f32;
  const memory::format_tag rows = memory::format_tag::ab;
  const memory::dim batch = inputs[0]->shape[0];
  const dnnl::inner_product_forward::primitive_desc chosen(Cpu(),
      dnnl::prop_kind::forward_inference,
      memory::desc({batch, weights->dims[1]}, f32, rows),
      memory::desc(weights->dims, f32, memory::format_tag::any),
      memory::desc({num_output}, f32, memory::format_tag::x),
      memory::desc({batch, num_output}, f32, rows),
      LinearAttributes(false, relu, negative_slope));
  return std::unique_ptr<Step>(new LinearStep(
      dnnl::inner_product_forward(chosen), chosen, weights.get(), bias,
      false));
}

}  // namespace engine
}  // namespace caffe
