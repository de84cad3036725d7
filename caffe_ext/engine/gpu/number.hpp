#ifndef CAFFE_ENGINE_GPU_NUMBER_HPP_
#define CAFFE_ENGINE_GPU_NUMBER_HPP_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief f(T()), T being CUDA's type.
template <typename F>
auto ForGpuType(Type type, const F& f) {
  return type == Type::F16 ? f(__half()) :
      type == Type::BF16 ? f(__nv_bfloat16()) : f(float());
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_NUMBER_HPP_
