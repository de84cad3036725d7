#include <map>

#include "engine/ops/layout.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

// The value in a type, by a Convert before `place` where need be.
Value* InType(Graph* graph, Graph::Place place, Value* value, Type type,
    std::map<Value*, Value*>* converted) {
  if (value->type == type) {
    return value;
  }
  Value*& other = (*converted)[value];
  if (other == NULL) {
    other = graph->AddValue(value->name, value->shape);
    other->channels_last = value->channels_last;
    other->type = type;
    std::unique_ptr<Convert> convert(new Convert);
    convert->inputs = {value};
    convert->outputs = {other};
    graph->Insert(place, std::move(convert));
  }
  return other;
}

}  // namespace

void AssignTypes(Graph* graph) {
  std::map<Value*, Value*> converted;
  for (Op* op : graph->Snapshot()) {
    for (size_t i = 0; i < op->inputs.size(); ++i) {
      op->inputs[i] = InType(graph, graph->Find(op), op->inputs[i],
                             op->InputType(i), &converted);
    }
    for (size_t i = 0; i < op->outputs.size(); ++i) {
      op->outputs[i]->type = op->OutputType(i);
    }
  }
  for (Value*& output : graph->outputs) {
    output = InType(graph, graph->End(), output, Type::F32, &converted);
  }
}

}  // namespace engine
}  // namespace caffe
