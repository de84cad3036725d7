#include <map>

#include "engine/ops/layout.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

// The value in a layout, by a Reorder before `place` where need be.
Value* InLayout(Graph* graph, Graph::Place place, Value* value,
    bool channels_last, std::map<Value*, Value*>* reordered) {
  if (value->shape.size() != 4 || value->channels_last == channels_last) {
    return value;
  }
  Value*& other = (*reordered)[value];
  if (other == NULL) {
    other = graph->AddValue(value->name, value->shape);
    other->channels_last = channels_last;
    std::unique_ptr<Reorder> reorder(new Reorder);
    reorder->inputs = {value};
    reorder->outputs = {other};
    graph->Insert(place, std::move(reorder));
  }
  return other;
}

}  // namespace

void AssignLayouts(Graph* graph) {
  std::map<Value*, Value*> reordered;
  for (Op* op : graph->Snapshot()) {
    for (Value*& input : op->inputs) {
      input = InLayout(graph, graph->Find(op), input, op->ChannelsLast(),
                       &reordered);
    }
    for (Value* output : op->outputs) {
      output->channels_last = op->ChannelsLast() && output->shape.size() == 4;
    }
  }
  for (Value*& output : graph->outputs) {
    output = InLayout(graph, graph->End(), output, false, &reordered);
  }
}

}  // namespace engine
}  // namespace caffe
