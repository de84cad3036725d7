#ifndef CAFFE_ENGINE_KERNELS_GROUPED_3X3_AMX_STEP_HPP_
#define CAFFE_ENGINE_KERNELS_GROUPED_3X3_AMX_STEP_HPP_

#include <memory>
#include <vector>

#include "engine/ops/convolution.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief Whether this processor has AMX, this process may use it, and all of
///        these grouped 3x3 convolutions, of bf16, have groups for it: of 4, 8, 16
///        or 32 channels, which make whole units of 32.
bool FitsGrouped3x3Amx(const std::vector<const Convolution*>& branches);

/**
 * @brief MakeGrouped3x3 with AMX: weights are bf16, too; sums are floats.
 *
 * Denormal inputs and weights count as 0. Groups are multiplied with zeros between
 * them; a unit in which not all inputs are finite is computed plainly, slowly.
 */
std::unique_ptr<Step> MakeGrouped3x3Amx(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_GROUPED_3X3_AMX_STEP_HPP_
