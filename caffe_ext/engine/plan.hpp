#ifndef CAFFE_ENGINE_PLAN_HPP_
#define CAFFE_ENGINE_PLAN_HPP_

#include <memory>
#include <vector>

#include "caffe/util/limits.hpp"
#include "engine/device.hpp"
#include "engine/graph.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief A graph made ready for certain shapes of its inputs.
class Plan {
 public:
  /// @brief For the shapes that stand in the graph's inputs.
  Plan(Graph* graph, Device* device);

  /// @brief inputs: in the device's memory.
  void Run(const std::vector<const float*>& inputs);

  const std::vector<std::vector<int> >& input_shapes() const {
    return input_shapes_;
  }
  const std::vector<std::vector<int> >& output_shapes() const {
    return output_shapes_;
  }
  const std::vector<const float*>& outputs() const { return outputs_; }
  size_t bytes() const { return bytes_; }

  struct Instruction {
    const Op* op;
    std::unique_ptr<Step> step;
    Buffers buffers;
    // Which of buffers' inputs are the graph's, by number; or -1.
    std::vector<int> graph_inputs;
    double multiply_adds;
  };
  std::vector<Instruction>& instructions() { return instructions_; }

 private:
  void Bind(const std::vector<const float*>& inputs);

  Device* const device_;
  std::vector<std::vector<int> > input_shapes_, output_shapes_;
  std::vector<Instruction> instructions_;
  MemoryShare share_;  // memory_'s
  std::shared_ptr<char> memory_;
  size_t bytes_;
  std::vector<const float*> inputs_;  // those bound
  std::shared_ptr<void> recording_;   // of Run, for them
  bool recordable_ = true;
  std::vector<const float*> outputs_;
  std::vector<int> graph_outputs_;  // outputs that are inputs, by number
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PLAN_HPP_
