#ifndef CAFFE_ENGINE_GPU_DIRECT_CONVOLUTION_HPP_
#define CAFFE_ENGINE_GPU_DIRECT_CONVOLUTION_HPP_

#include <memory>

#include "engine/gpu/gpu.hpp"
#include "engine/ops/convolution.hpp"

namespace caffe {
namespace engine {

/// @brief A grouped convolution of any kind, straight from its formula: cuDNN has
///        none, or slow ones, for groups of few channels in NHWC.
std::unique_ptr<Step> MakeDirectConvolution(const Convolution& op, Gpu* gpu);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_DIRECT_CONVOLUTION_HPP_
