#ifndef CAFFE_ENGINE_GPU_NUMBER_HPP_
#define CAFFE_ENGINE_GPU_NUMBER_HPP_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief How many numbers there are in 16 bytes, and in a register of a GPU.
template <typename T>
constexpr int kIn16Bytes = 16 / sizeof(T);
template <typename T>
constexpr int kInRegister = 4 / sizeof(T);

/// @brief f(T()), T being CUDA's type.
template <typename F>
auto ForGpuType(Type type, const F& f) {
  return type == Type::F16 ? f(__half()) :
      type == Type::BF16 ? f(__nv_bfloat16()) : f(float());
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_NUMBER_HPP_
