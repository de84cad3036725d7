#ifndef CAFFE_ENGINE_GPU_POSITIONS_HPP_
#define CAFFE_ENGINE_GPU_POSITIONS_HPP_

#include <cuda_runtime.h>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief In NHWC, each stride[0]-th row's each stride[1]-th position: what a 1x1
///        convolution of x, to `out`, takes.
void TakePositions(const Value& in, const Value& out, const int* stride,
                   const void* x, void* y, cudaStream_t stream);

/// @brief NHWC with more channels, zeros, after those of x.
void PadChannels(const Value& in, int channels, const void* x, void* y,
                 cudaStream_t stream);

/// @brief x = slope * x where x is not positive.
void LeakyReLU(float slope, Type type, size_t count, void* x,
               cudaStream_t stream);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_POSITIONS_HPP_
