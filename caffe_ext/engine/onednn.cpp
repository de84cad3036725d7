#include "engine/onednn.hpp"

namespace caffe {
namespace engine {

using dnnl::memory;

dnnl::stream& Stream() {
  static thread_local dnnl::stream stream(Cpu());
  return stream;
}

memory::desc Activations(const Value& value) {
  const memory::dims dims(value.shape.begin(), value.shape.end());
  memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dims[i];
  }
  if (value.channels_last && dims.size() == 4) {
    strides = {dims[1] * dims[2] * dims[3], 1, dims[3] * dims[1], dims[1]};
  }
  return memory::desc(dims, memory::data_type::f32, strides);
}

}  // namespace engine
}  // namespace caffe
