#ifndef CAFFE_ENGINE_GPU_PAUSE_HPP_
#define CAFFE_ENGINE_GPU_PAUSE_HPP_

#include <cuda_runtime.h>

namespace caffe {
namespace engine {

/// @brief Keeps a stream busy, so that what follows is in line before it begins.
void Pause(unsigned microseconds, cudaStream_t stream);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_PAUSE_HPP_
