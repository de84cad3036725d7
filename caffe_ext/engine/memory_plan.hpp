#ifndef CAFFE_ENGINE_MEMORY_PLAN_HPP_
#define CAFFE_ENGINE_MEMORY_PLAN_HPP_

#include <cstddef>
#include <map>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief Of values in memory, in bytes: a GPU's libraries ask for as much.
const size_t kAlignment = 256;

/**
 * @brief Where each value lies in one block of memory, in bytes from its start;
 *        values that are not needed at the same time share room.
 *
 * The graph's inputs, and views of them, lie elsewhere: inputs gives the input.
 */
struct MemoryPlan {
  explicit MemoryPlan(const Graph& graph);

  std::map<const Value*, size_t> offsets;
  std::map<const Value*, const Value*> inputs;
  size_t bytes = 0;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_MEMORY_PLAN_HPP_
