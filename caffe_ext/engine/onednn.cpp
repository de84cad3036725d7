#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

using dnnl::memory;

bool Has(dnnl::cpu_isa instructions) {
  // Sets of bits, one for each extension.
  const int present = static_cast<int>(dnnl::get_effective_cpu_isa());
  const int needed = static_cast<int>(instructions);
  return (present & needed) == needed;
}

memory::data_type DataType(Type type) {
  return type == Type::F32 ? memory::data_type::f32 : memory::data_type::bf16;
}

memory::desc Activations(const Value& value) {
  const memory::dims dims(value.shape.begin(), value.shape.end());
  if (value.channels_last && dims.size() == 4) {
    return memory::desc(dims, DataType(value.type), memory::format_tag::nhwc);
  }
  return onednn::Plain(dims, DataType(value.type));
}

}  // namespace engine
}  // namespace caffe
