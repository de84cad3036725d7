#include "engine/packed_weights.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace caffe {
namespace engine {

using dnnl::memory;

dnnl::engine& Cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

PackedWeights::PackedWeights(const std::vector<float>& values,
    const memory::dims& dims)
    : dims(dims), count(values.size()) {
  Set(values);
}

memory::desc PackedWeights::PlainLayout() const {
  memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dims[i];
  }
  return memory::desc(dims, memory::data_type::f32, strides);
}

void PackedWeights::Set(const std::vector<float>& values) {
  packed_.assign(1, memory(PlainLayout(), Cpu()));
  std::copy(values.begin(), values.end(),
            static_cast<float*>(packed_[0].get_data_handle()));
}

std::vector<float> PackedWeights::Plain() const {
  std::vector<float> values(count);
  memory source = packed_[0], plain(PlainLayout(), Cpu(), values.data());
  dnnl::stream stream(Cpu());
  dnnl::reorder(source, plain).execute(stream, source, plain);
  stream.wait();
  return values;
}

const float* PackedWeights::InOwn(const std::function<
    std::vector<float>(const std::vector<float>&)>& pack) {
  if (!own_) {
    const std::vector<float> values = pack(Plain());
    own_ = memory({{static_cast<memory::dim>(values.size())},
                   memory::data_type::f32, memory::format_tag::x}, Cpu());
    std::copy(values.begin(), values.end(),
              static_cast<float*>(own_.get_data_handle()));
    packed_.clear();
  }
  return static_cast<const float*>(own_.get_data_handle());
}

memory PackedWeights::In(const memory::desc& layout) {
  for (const memory& there : packed_) {
    if (there.get_desc() == layout) {
      return there;
    }
  }
  memory packed(layout, Cpu());
  dnnl::stream stream(Cpu());
  dnnl::reorder(packed_[0], packed).execute(stream, packed_[0], packed);
  stream.wait();
  // What the first program wants replaces the plain values.
  if (packed_.size() == 1 && packed_[0].get_desc() == PlainLayout()) {
    packed_.clear();
  }
  packed_.push_back(packed);
  return packed;
}

}  // namespace engine
}  // namespace caffe
