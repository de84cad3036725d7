#ifndef CAFFE_UTIL_GPU_HPP_
#define CAFFE_UTIL_GPU_HPP_

namespace caffe {

/// @brief Throws an Error whose one sentence says why this GPU cannot be used: a
///        build for CPUs only, no driver or one too old for the build's CUDA, no
///        card, or fewer cards than that.
void RequireGpu(int device = 0);

/// @brief Whether there is one that can be used.
bool HasGpu();

}  // namespace caffe

#endif  // CAFFE_UTIL_GPU_HPP_
