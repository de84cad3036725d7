#include "engine/ops/affine.hpp"
#include "engine/ops/convolution.hpp"
#include "engine/ops/eltwise.hpp"
#include "engine/ops/inner_product.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

template <typename T>
bool Activate(T* op, const Affine& activation) {
  if (op == NULL || op->relu) {
    return false;
  }
  op->relu = true;
  op->negative_slope = activation.negative_slope;
  return true;
}

}  // namespace

void FuseActivation(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    Affine* relu = As<Affine>(op);
    if (relu == NULL || !relu->relu || !relu->scale.empty() ||
        graph->OnlyUser(relu->inputs[0]) != relu) {
      continue;
    }
    Op* before = graph->Producer(relu->inputs[0]);
    if (Activate(As<Convolution>(before), *relu) ||
        Activate(As<InnerProduct>(before), *relu) ||
        Activate(As<Sum>(before), *relu) ||
        Activate(As<Gate>(before), *relu) ||
        Activate(As<Affine>(before), *relu)) {
      before->layers.insert(before->layers.end(), relu->layers.begin(),
                            relu->layers.end());
      before->outputs = relu->outputs;
      graph->Remove(relu);
    }
  }
}

}  // namespace engine
}  // namespace caffe
