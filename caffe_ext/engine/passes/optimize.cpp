#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void Optimize(Graph* graph) {
  RemoveUnused(graph);
  FoldAffine(graph);
  FuseActivation(graph);
  FuseGateSum(graph);
  FuseSelectiveKernels(graph);
  MergeBranches(graph);
  FuseShuffle(graph);
  FuseResidual(graph);
  AssignLayouts(graph);
}

}  // namespace engine
}  // namespace caffe
