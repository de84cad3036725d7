#include "engine/passes.hpp"

namespace caffe {
namespace engine {

void Optimize(Graph* graph, const Device& device) {
  RemoveUnused(graph);
  FoldAffine(graph);
  FuseActivation(graph);
  FuseGateSum(graph);
  FuseSelectiveKernels(graph);
  FuseExcitation(graph);
  MergeBranches(graph, device);
  FuseShuffle(graph);
  FuseResidual(graph);
  AssignLayouts(graph);
  if (device.Shortens()) {
    AssignTypes(graph, device);
  }
}

}  // namespace engine
}  // namespace caffe
