#ifndef CAFFE_ENGINE_GPU_FEW_CHANNELS_HPP_
#define CAFFE_ENGINE_GPU_FEW_CHANNELS_HPP_

#include <memory>

#include "engine/gpu/gpu.hpp"
#include "engine/ops/convolution.hpp"

namespace caffe {
namespace engine {

/// @brief Whether there is a kernel on Tensor Cores for such a convolution: a net's
///        first, of 4 channels at most, with stride 2.
bool FitsFewChannels(const Convolution& op, const Gpu& gpu);

/// @brief Its step. What is not finite may reach an output beyond its window.
std::unique_ptr<Step> MakeFewChannels(const Convolution& op, Gpu* gpu);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_FEW_CHANNELS_HPP_
