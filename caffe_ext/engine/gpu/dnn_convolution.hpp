#ifndef CAFFE_ENGINE_GPU_DNN_CONVOLUTION_HPP_
#define CAFFE_ENGINE_GPU_DNN_CONVOLUTION_HPP_

#include <memory>

#include "engine/gpu/gpu.hpp"
#include "engine/ops/convolution.hpp"

namespace caffe {
namespace engine {

/// @brief A convolution of one group by cuDNN, with bias, sum and ReLU
///        (cudnnConvolutionBiasActivationForward); null where cuDNN has none such.
std::unique_ptr<Step> MakeDnnConvolution(const Convolution& op, Gpu* gpu);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_DNN_CONVOLUTION_HPP_
