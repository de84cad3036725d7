#ifndef CAFFE_ENGINE_ONEDNN_HPP_
#define CAFFE_ENGINE_ONEDNN_HPP_

#include "engine/graph.hpp"
#include "engine/packed_weights.hpp"
#include "oneapi/dnnl/dnnl.hpp"

namespace caffe {
namespace engine {

/// @brief This thread's stream of work.
dnnl::stream& Stream();
/// @brief How a value's activations lie in memory.
dnnl::memory::desc Activations(const Value& value);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_ONEDNN_HPP_
