#ifndef CAFFE_ENGINE_GPU_BOTTLENECK_HPP_
#define CAFFE_ENGINE_GPU_BOTTLENECK_HPP_

#include "engine/gpu/gpu.hpp"
#include "engine/kernels/bottleneck.hpp"

namespace caffe {
namespace engine {

/// @brief An op's bottleneck with its weights in the GPU's memory.
struct GpuBottleneck {
  GpuBottleneck(const Op& op, const Bottleneck& weights, Gpu* gpu);
  const float *reduce, *reduce_bias, *expand, *bias;  // as Bottleneck has them
  float negative_slope;
  int channels, hidden, outputs;
};

/// @brief y, batch x hidden: of each of an image's vectors of x,
///        relu(reduce vector + reduce_bias), added up.
void SumHidden(const GpuBottleneck& weights, int batch, int vectors,
               const float* x, float* y, cudaStream_t stream);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_BOTTLENECK_HPP_
