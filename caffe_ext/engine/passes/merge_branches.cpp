#include <algorithm>

#include "engine/ops/pooling.hpp"
#include "engine/ops/select.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void MergeBranches(Graph* graph, const Device& device) {
  for (Op* op : graph->Snapshot()) {
    MeanOfSum* mean = As<MeanOfSum>(op);
    if (mean == NULL) {
      continue;
    }
    std::vector<Convolution*> found;
    for (Value* input : mean->inputs) {
      Convolution* made = As<Convolution>(graph->Producer(input));
      if (made == NULL || !device.HasKernel(*made) ||
          (!found.empty() && (made->inputs[0] != found[0]->inputs[0] ||
                              made->group != found[0]->group ||
                              made->stride[0] != found[0]->stride[0]))) {
        break;
      }
      found.push_back(made);
    }
    if (found.size() != mean->inputs.size()) {
      continue;
    }
    std::unique_ptr<Branches> merged(new Branches);
    merged->inputs = {found[0]->inputs[0]};
    merged->outputs = mean->inputs;
    merged->outputs.push_back(mean->outputs[0]);
    for (const Convolution* branch : found) {
      merged->layers.insert(merged->layers.end(), branch->layers.begin(),
                            branch->layers.end());
      merged->branches.emplace_back(new Convolution(*branch));
    }
    merged->layers.insert(merged->layers.end(), mean->layers.begin(),
                          mean->layers.end());
    const std::vector<Op*> ops = graph->Snapshot();
    const Op* first = *std::find_first_of(ops.begin(), ops.end(),
                                          found.begin(), found.end());
    graph->Insert(graph->Find(first), std::move(merged));
    for (const Convolution* branch : found) { graph->Remove(branch); }
    graph->Remove(mean);
  }
}

}  // namespace engine
}  // namespace caffe
