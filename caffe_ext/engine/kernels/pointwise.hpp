#ifndef CAFFE_ENGINE_KERNELS_POINTWISE_HPP_
#define CAFFE_ENGINE_KERNELS_POINTWISE_HPP_

#include <memory>

#include "engine/ops/convolution.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief Whether a convolution is 1x1 and this kernel the processor's best.
bool FitsPointwise(const Convolution& op);

/**
 * @brief A 1x1 convolution of channels-last values, which is a product of
 *        matrices: positions x channels by channels x outputs.
 *
 * Blocks of positions are copied to where they lie densely, and multiplied with
 * 16 outputs' weights at a time, 6 positions in registers (Goto and van de Geijn,
 * Anatomy of High-Performance Matrix Multiplication, 2008).
 */
std::unique_ptr<Step> MakePointwise(const Convolution& op);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_POINTWISE_HPP_
