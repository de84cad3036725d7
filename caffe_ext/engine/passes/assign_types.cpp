#include <map>

#include "engine/ops/layout.hpp"
#include "engine/passes.hpp"
#include "engine/passes/in_form.hpp"

namespace caffe {
namespace engine {

void AssignTypes(Graph* graph, const Device& device) {
  std::map<Value*, Value*> converted;
  const auto in_type = [&](Graph::Place place, Value* value, Type type) {
    return InForm<Convert>(graph, place, value, value->channels_last, type,
                           &converted);
  };
  for (Op* op : graph->Snapshot()) {
    for (size_t i = 0; i < op->inputs.size(); ++i) {
      op->inputs[i] = in_type(graph->Find(op), op->inputs[i], device.InputType(*op, i));
    }
    for (size_t i = 0; i < op->outputs.size(); ++i) {
      op->outputs[i]->type = device.OutputType(*op, i);
    }
  }
  for (Value*& output : graph->outputs) {
    output = in_type(graph->End(), output, Type::F32);
  }
}

}  // namespace engine
}  // namespace caffe
