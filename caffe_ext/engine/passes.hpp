#ifndef CAFFE_ENGINE_PASSES_HPP_
#define CAFFE_ENGINE_PASSES_HPP_

#include "engine/device.hpp"
#include "engine/graph.hpp"

namespace caffe {
namespace engine {

// Each rewrites the graph to one that computes the same with less work. They
// look for what lies behind them: the order of Optimize matters.

/// @brief Drops what no output needs.
void RemoveUnused(Graph* graph);
/// @brief Batch norm, Scale and Bias into each other and into the convolution or
///        inner product before them.
void FoldAffine(Graph* graph);
/// @brief ReLU into what makes its input.
void FuseActivation(Graph* graph);
/// @brief A sum of two into the Gate that makes one of them, as Axpy has it.
void FuseGateSum(Graph* graph);
/// @brief SK units: Sum, pool, two convolutions, softmax and gates → MeanOfSum
///        and Select.
void FuseSelectiveKernels(Graph* graph);
/// @brief The gates of squeeze and excitation, and of CBAM's channels: two
///        convolutions of pooled vectors, their sum, and a logistic function →
///        Excitation.
void FuseExcitation(Graph* graph);
/// @brief ShuffleNet's shuffle, as Caffe's layers have it: Views of a row, Concat,
///        a View → Interleave.
void FuseShuffle(Graph* graph);
/// @brief The branches of an SK unit and their MeanOfSum → Branches.
void MergeBranches(Graph* graph, const Device& device);
/// @brief A residual sum, with its ReLU, into the convolution before it.
void FuseResidual(Graph* graph);
/// @brief Sets each value's layout; puts Reorders where an op wants another.
void AssignLayouts(Graph* graph);

/// @brief In programs that shorten values, each value's type; puts Converts where
///        an op wants another.
void AssignTypes(Graph* graph, const Device& device);

/// @brief All of these.
void Optimize(Graph* graph, const Device& device);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PASSES_HPP_
