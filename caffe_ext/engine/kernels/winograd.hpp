#ifndef CAFFE_ENGINE_KERNELS_WINOGRAD_HPP_
#define CAFFE_ENGINE_KERNELS_WINOGRAD_HPP_

#include <memory>

#include "engine/ops/convolution.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief Whether that is a convolution, of 3x3, 5x5, 1x7 and the like, that Winograd's
///        algorithm makes faster. It depends on the weights alone: other sizes of
///        images share them.
bool FitsWinograd(const Convolution& op);

/**
 * @brief A convolution of stride 1 by Winograd's algorithm (toom_cook.hpp): windows of
 *        the input are transformed, multiplied point by point as matrices, and
 *        transformed back.
 *
 * A value that is not finite makes NaN of all that its windows, of six or eight
 * positions at a side, are made into.
 */
std::unique_ptr<Step> MakeWinograd(const Convolution& op);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_WINOGRAD_HPP_
