#ifndef CAFFE_ENGINE_KERNELS_POINTWISE_HPP_
#define CAFFE_ENGINE_KERNELS_POINTWISE_HPP_

#include <memory>

#include "engine/ops/convolution.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

/// @brief Whether that is a 1x1 convolution that this project computes faster than
///        oneDNN: of floats, or of bf16 where there is no AMX, whose channels fill
///        the processor's longest vectors.
bool FitsPointwise(const Convolution& op);

/**
 * @brief A 1x1 convolution as a matrix product, in the manner of Goto and van de
 *        Geijn, "Anatomy of high-performance matrix multiplication" (2008).
 *
 * What it has that oneDNN 3.2 lacks: the next weights are brought into the cache
 * while the present ones are multiplied, since a net's weights come from memory
 * each time; and a thread that is held up is left less to do.
 */
std::unique_ptr<Step> MakePointwise(const Convolution& op);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_POINTWISE_HPP_
