#ifndef CAFFE_ENGINE_GPU_GROUPED_3X3_HPP_
#define CAFFE_ENGINE_GPU_GROUPED_3X3_HPP_

#include <memory>
#include <vector>

#include "engine/gpu/gpu.hpp"
#include "engine/ops/convolution.hpp"

namespace caffe {
namespace engine {

/// @brief Whether there is a kernel on Tensor Cores for such a convolution.
bool FitsGpuGrouped3x3(const Convolution& op, const Gpu& gpu);

/**
 * @brief Grouped 3x3 convolutions of one input, with 4 to 32 channels a group,
 *        whose weights lie in registers; up to two of them from one read. What is
 *        not finite may reach, in groups of 4, the neighbouring group's outputs.
 *
 * @param mean whether the last output, N x C floats, is the mean over height and
 *        width of all branches' sum
 */
std::unique_ptr<Step> MakeGpuGrouped3x3(
    const std::vector<const Convolution*>& branches, const Value& input,
    const Value& output, bool mean, Gpu* gpu);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GROUPED_3X3_HPP_
