#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void Optimize(Graph* graph, bool bf16) {
  RemoveUnused(graph);
  FoldAffine(graph);
  FuseActivation(graph);
  FuseGateSum(graph);
  FuseSelectiveKernels(graph);
  FuseExcitation(graph);
  MergeBranches(graph);
  FuseShuffle(graph);
  FuseResidual(graph);
  AssignLayouts(graph);
  if (bf16) {
    AssignTypes(graph);
  }
}

}  // namespace engine
}  // namespace caffe
