#include "engine/ops/affine.hpp"
#include "engine/ops/convolution.hpp"
#include "engine/ops/inner_product.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

// Convolution or InnerProduct: rows of weights, one for each output.
template <typename Linear>
bool FoldInto(Linear* linear, const Affine& affine) {
  if (linear == NULL || linear->relu || linear->inputs.size() > 1) {
    return false;
  }
  linear->weights->Scale(affine.scale);
  for (int i = 0; i < linear->num_output; ++i) {
    linear->bias[i] = linear->bias[i] * affine.scale[i] + affine.shift[i];
  }
  return true;
}

bool FoldInto(Affine* first, const Affine& affine) {
  if (first == NULL || first->relu || first->scale.empty()) {
    return false;
  }
  for (size_t i = 0; i < affine.scale.size(); ++i) {
    first->scale[i] *= affine.scale[i];
    first->shift[i] = first->shift[i] * affine.scale[i] + affine.shift[i];
  }
  return true;
}

}  // namespace

void FoldAffine(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    Affine* affine = As<Affine>(op);
    if (affine == NULL || affine->relu ||
        graph->OnlyUser(affine->inputs[0]) != affine) {
      continue;
    }
    Op* before = graph->Producer(affine->inputs[0]);
    if (FoldInto(As<Convolution>(before), *affine) ||
        FoldInto(As<InnerProduct>(before), *affine) ||
        FoldInto(As<Affine>(before), *affine)) {
      before->layers.insert(before->layers.end(), affine->layers.begin(),
                            affine->layers.end());
      before->outputs = affine->outputs;
      graph->Remove(affine);
    }
  }
}

}  // namespace engine
}  // namespace caffe
