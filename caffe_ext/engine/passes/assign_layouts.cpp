#include <map>

#include "engine/ops/layout.hpp"
#include "engine/passes.hpp"
#include "engine/passes/in_form.hpp"

namespace caffe {
namespace engine {

void AssignLayouts(Graph* graph) {
  std::map<Value*, Value*> reordered;
  const auto in_layout = [&](Graph::Place place, Value* value, bool last) {
    return InForm<Reorder>(graph, place, value, last && value->shape.size() == 4,
                           value->type, &reordered);
  };
  for (Op* op : graph->Snapshot()) {
    for (Value*& input : op->inputs) {
      input = in_layout(graph->Find(op), input, op->ChannelsLast());
    }
    for (Value* output : op->outputs) {
      output->channels_last = op->ChannelsLast() && output->shape.size() == 4;
    }
  }
  for (Value*& output : graph->outputs) {
    output = in_layout(graph->End(), output, false);
  }
}

}  // namespace engine
}  // namespace caffe
