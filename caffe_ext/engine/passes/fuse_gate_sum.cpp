#include "engine/ops/eltwise.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void FuseGateSum(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    Sum* sum = As<Sum>(op);
    if (sum == NULL || !sum->AddsTwo()) {
      continue;
    }
    for (int i = 1; i >= 0; --i) {
      Gate* gate = As<Gate>(graph->Producer(sum->inputs[i]));
      if (gate == NULL || gate->relu || gate->inputs.size() > 2 ||
          graph->OnlyUser(sum->inputs[i]) != sum) {
        continue;
      }
      gate->inputs.push_back(sum->inputs[1 - i]);
      gate->outputs = sum->outputs;
      gate->relu = sum->relu;
      gate->negative_slope = sum->negative_slope;
      gate->layers.insert(gate->layers.end(), sum->layers.begin(),
                          sum->layers.end());
      graph->MoveBefore(gate, sum);
      graph->Remove(sum);
      break;
    }
  }
}

}  // namespace engine
}  // namespace caffe
