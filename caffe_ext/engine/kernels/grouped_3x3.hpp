#ifndef CAFFE_ENGINE_KERNELS_GROUPED_3X3_HPP_
#define CAFFE_ENGINE_KERNELS_GROUPED_3X3_HPP_

#include <memory>
#include <vector>

#include "engine/ops/convolution.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief Whether this processor has a kernel for such a convolution.
bool FitsGrouped3x3(const Convolution& op);

/**
 * @brief Grouped 3x3 convolutions of one input, with few channels a group, for
 *        which oneDNN has no good kernel.
 *
 * Each part of the input is brought into the cache once, with its padding, for
 * all branches. Groups of neither 4 nor 8 channels, but fewer than a vector has, are
 * multiplied with zeros between them: what is not finite reaches the vector's others.
 * With AMX, for bf16, it stays within its group: see MakeGrouped3x3Amx. There, and with
 * AVX-512's bf16, weights are bf16, too; denormals count as 0.
 *
 * @param mean whether the last output, N x C, is the mean over height and width
 *        of all branches' sum
 */
std::unique_ptr<Step> MakeGrouped3x3(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_GROUPED_3X3_HPP_
