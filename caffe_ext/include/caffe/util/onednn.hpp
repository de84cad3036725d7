#ifndef CAFFE_UTIL_ONEDNN_HPP_
#define CAFFE_UTIL_ONEDNN_HPP_

#include "caffe/common.hpp"
#include "oneapi/dnnl/dnnl.hpp"

namespace caffe {
namespace onednn {

/// @brief oneDNN's engine: this processor.
inline dnnl::engine& Cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// @brief This thread's stream of work.
inline dnnl::stream& Stream() {
  static thread_local dnnl::stream stream(Cpu());
  return stream;
}

/// @brief Calls f; oneDNN's errors become Caffe's.
template <typename F>
void WithErrors(const F& f) {
  try {
    f();
  } catch (const dnnl::error& error) {
    LOG(FATAL) << "oneDNN: " << error.what() << " (status " << error.status
        << ")";
  }
}

/// @brief An array with its last axis innermost, as Caffe's blobs are.
inline dnnl::memory::desc Plain(const dnnl::memory::dims& dims,
    dnnl::memory::data_type type = dnnl::memory::data_type::f32) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dims[i];
  }
  return dnnl::memory::desc(dims, type, strides);
}

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_UTIL_ONEDNN_HPP_
