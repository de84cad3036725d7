#ifndef CAFFE_ENGINE_LAYER_IMPORTS_HPP_
#define CAFFE_ENGINE_LAYER_IMPORTS_HPP_

#include <memory>
#include <vector>

#include "caffe/layer.hpp"
#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief The op for a layer in phase TEST, its inputs set; NULL where the
///        compiler has none, and Caffe's own layer runs.
std::unique_ptr<Op> ImportLayer(Layer<float>* layer,
                                const std::vector<Value*>& bottoms,
                                int num_tops);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_LAYER_IMPORTS_HPP_
