#ifndef CAFFE_ENGINE_ONEDNN_HPP_
#define CAFFE_ENGINE_ONEDNN_HPP_

#include "caffe/util/onednn.hpp"
#include "engine/graph.hpp"

namespace caffe {
namespace engine {

using onednn::Cpu;
using onednn::Stream;

/// @brief Whether this CPU has these instructions, which oneDNN then uses.
bool Has(dnnl::cpu_isa instructions);
inline bool HasBF16() { return Has(dnnl::cpu_isa::avx512_core_bf16); }
dnnl::memory::data_type DataType(Type type);
/// @brief How a value's activations lie in memory.
dnnl::memory::desc Activations(const Value& value);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_ONEDNN_HPP_
