#include <algorithm>

#include "engine/ops/concat.hpp"
#include "engine/ops/layout.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

// A View of N x C x H x W as N x C x 1 x H x W, which nothing else reads.
View* Row(const Graph& graph, const Value* value, const Op* user) {
  View* view = As<View>(graph.Producer(value));
  if (view == NULL || graph.OnlyUser(value) != user) {
    return NULL;
  }
  std::vector<int> shape = view->inputs[0]->shape;
  if (shape.size() == 4) {
    shape.insert(shape.begin() + 2, 1);
  }
  return shape == value->shape ? view : NULL;
}

}  // namespace

void FuseShuffle(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    if (graph->Find(op) == graph->End()) {
      continue;  // removed meanwhile
    }
    Concat* concat = As<Concat>(op);
    if (concat == NULL || concat->axis != 2) {
      continue;
    }
    std::vector<View*> views;
    for (const Value* input : concat->inputs) {
      views.push_back(Row(*graph, input, concat));
    }
    View* together = As<View>(graph->OnlyUser(concat->outputs[0]));
    const bool alike = std::all_of(views.begin(), views.end(),
        [&](const View* view) {
      return view != NULL && view->inputs[0]->shape ==
          views[0]->inputs[0]->shape;
    });
    if (!alike || together == NULL) {
      continue;
    }
    std::vector<int> shape = views[0]->inputs[0]->shape;
    shape[1] *= views.size();
    if (together->outputs[0]->shape != shape) {
      continue;
    }
    std::unique_ptr<Interleave> shuffle(new Interleave);
    shuffle->outputs = together->outputs;
    std::vector<Op*> parts(views.begin(), views.end());
    parts.push_back(concat);
    parts.push_back(together);
    for (const View* view : views) {
      shuffle->inputs.push_back(view->inputs[0]);
    }
    for (const Op* part : parts) {
      shuffle->layers.insert(shuffle->layers.end(), part->layers.begin(),
                             part->layers.end());
    }
    graph->Insert(graph->Find(concat), std::move(shuffle));
    for (const Op* part : parts) { graph->Remove(part); }
  }
}

}  // namespace engine
}  // namespace caffe
