#ifndef CAFFE_ENGINE_GPU_MMA_HPP_
#define CAFFE_ENGINE_GPU_MMA_HPP_

namespace caffe {
namespace engine {

/// @brief Whether the present device, and this build for it, have what mma.cuh
///        takes.
bool HasMma();

/// @brief How many tiles of at most `most` there are in `whole`.
inline int Parts(int whole, int most) { return (whole + most - 1) / most; }

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_MMA_HPP_
