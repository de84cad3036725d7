#ifndef CAFFE_UTIL_CUDNN_CONTEXT_HPP_
#define CAFFE_UTIL_CUDNN_CONTEXT_HPP_
#ifdef USE_CUDNN

#include <cstddef>

#include "caffe/common.hpp"

#if CUDNN_VERSION < 8000
#error "Caffe needs cuDNN 8 or later"
#endif

namespace caffe {

/**
 * @brief What all layers that a thread runs on a device share: cuDNN's handle,
 *        on the default stream, and memory to work in.
 *
 * Made when it is first asked for; goes with the thread.
 */
class CuDNNContext {
 public:
  /// @brief This thread's, for the current device.
  static CuDNNContext& Get();
  ~CuDNNContext();

  cudnnHandle_t handle() const { return handle_; }

  /// @brief Makes workspace() that large, or larger; false where the device has
  ///        not that much memory left.
  bool Reserve(size_t bytes);
  /// @brief Whose contents nobody keeps: what is queued next may overwrite it.
  void* workspace() const { return workspace_; }
  size_t workspace_size() const { return workspace_size_; }

 private:
  explicit CuDNNContext(int device);
  bool Allocate(size_t bytes);

  const int device_;
  cudnnHandle_t handle_;
  void* workspace_;
  size_t workspace_size_;

  DISABLE_COPY_AND_ASSIGN(CuDNNContext);
};

}  // namespace caffe

#endif  // USE_CUDNN
#endif  // CAFFE_UTIL_CUDNN_CONTEXT_HPP_
