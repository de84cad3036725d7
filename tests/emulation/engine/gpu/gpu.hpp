#ifndef CAFFE_ENGINE_GPU_GPU_HPP_
#define CAFFE_ENGINE_GPU_GPU_HPP_

#include <cuda_runtime.h>

#include <functional>
#include <list>
#include <string>
#include <vector>

#include "engine/gpu/number.hpp"

namespace caffe {
namespace engine {

struct Convolution;

/// @brief An H200, as far as the steps ask.
class Gpu {
 public:
  explicit Gpu(Type type) : type_(type) {}
  Type type() const { return type_; }
  bool has_mma() const { return true; }
  int multiprocessors() const { return 132; }
  size_t shared_bytes() const { return 227 << 10; }
  cudaStream_t stream() const { return NULL; }

  template <typename T>
  const T* Constant(const Convolution*, const std::string&, Type type,
                    const std::function<std::vector<float>()>& make) {
    const std::vector<float> values = make();
    return ForGpuType(type, [&](auto number) {
      const std::vector<decltype(number)> numbers(values.begin(), values.end());
      const char* bytes = reinterpret_cast<const char*>(numbers.data());
      constants_.emplace_back(bytes, bytes + numbers.size() * sizeof(number));
      return reinterpret_cast<const T*>(constants_.back().data());
    });
  }

 private:
  const Type type_;
  std::list<std::vector<char> > constants_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GPU_HPP_
