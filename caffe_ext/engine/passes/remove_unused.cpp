#include <algorithm>

#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void RemoveUnused(Graph* graph) {
  std::vector<Op*> ops = graph->Snapshot();
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
    const bool used = std::any_of((*op)->outputs.begin(), (*op)->outputs.end(),
        [graph](const Value* value) {
      return graph->IsOutput(value) || !graph->Users(value).empty();
    });
    if (!used) {
      graph->Remove(*op);
    }
  }
  auto& inputs = graph->inputs;
  inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
      [graph](const Value* value) {
    return !graph->IsOutput(value) && graph->Users(value).empty();
  }), inputs.end());
}

}  // namespace engine
}  // namespace caffe
