#ifndef CAFFE_ENGINE_GPU_MMA_HPP_
#define CAFFE_ENGINE_GPU_MMA_HPP_

namespace caffe {
namespace engine {

/// @brief Whether the present device, and this build for it, have what mma.cuh
///        takes.
bool HasMma();

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_MMA_HPP_
