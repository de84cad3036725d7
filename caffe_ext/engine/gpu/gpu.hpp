#ifndef CAFFE_ENGINE_GPU_GPU_HPP_
#define CAFFE_ENGINE_GPU_GPU_HPP_

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caffe/common.hpp"
#include "engine/device.hpp"
#include "engine/gpu/owned.hpp"

namespace caffe {
namespace engine {

/// @brief A GPU as a program sees it: streams, libraries, memory, weights.
///
/// Its work waits for what the default stream was given before, and the other way
/// round: Caffe's blobs and layers, which use that, may be mixed with programs.
class Gpu : public Device {
 public:
  explicit Gpu(const std::string& precision);
  virtual ~Gpu();

  virtual void Do(const std::function<void()>& work);
  virtual bool HasKernel(const Convolution& op) const;
  virtual bool Shortens() const { return type_ != Type::F32; }
  virtual Type InputType(const Op& op, int i) const;
  virtual Type OutputType(const Op& op, int i) const;
  virtual std::unique_ptr<Step> MakeStep(Op* op);
  virtual std::shared_ptr<char> Allocate(size_t bytes);
  virtual const float* Values(const Blob<float>& blob) {
    return blob.gpu_data();
  }
  virtual void Copy(const float* from, Blob<float>* to);
  /// @brief By a CUDA graph, from the second time on: kernels are loaded when
  ///        they first run, which cannot be recorded.
  virtual void Run(const std::function<void()>& steps,
                   std::shared_ptr<void>* recording);
  virtual double Milliseconds(const std::function<void()>& run);

  /// @brief Where steps put their work.
  cudaStream_t stream() const { return stream_; }
  cublasLtHandle_t blas() const { return blas_; }
  /// @brief cuDNN, on that stream.
  cudnnHandle_t dnn() const { return dnn_; }
  /// @brief Of values between layers.
  Type type() const { return type_; }
  /// @brief Whether products of floats take but TF32's bits of them.
  bool tf32() const { return tf32_; }
  /// @brief Whether mma.cuh's instructions may multiply its values.
  bool has_mma() const { return has_mma_; }
  int multiprocessors() const { return multiprocessors_; }
  /// @brief Shared memory that a block can have.
  size_t shared_bytes() const { return shared_bytes_; }
  /// @brief Memory for libraries to use during a step.
  char* workspace() const { return workspace_.get(); }
  static const size_t kWorkspace = 64 << 20;  // bytes

  /// @brief Numbers of an op in the GPU's memory, made when they are first asked
  ///        for, and held for the plans of all shapes.
  template <typename T = void>
  const T* Constant(const Op* op, const std::string& what, Type type,
                    const std::function<std::vector<float>()>& make) {
    return reinterpret_cast<const T*>(ConstantBytes(op, what, type, make));
  }

 private:
  const char* ConstantBytes(const Op* op, const std::string& what, Type type,
                            const std::function<std::vector<float>()>& make);
  void SetStream(cudaStream_t stream);

  int device_, multiprocessors_, shared_bytes_;
  Type type_ = Type::F32;
  bool tf32_ = false, has_mma_;
  typedef Owned<cudaStream_t, cudaStreamDestroy> Stream;
  Stream ordered_;   // with the default stream
  Stream recorder_;  // others may use that while this one records
  cudaStream_t stream_ = NULL;  // one of both
  Owned<cublasLtHandle_t, cublasLtDestroy> blas_;
  Owned<cudnnHandle_t, cudnnDestroy> dnn_;
  std::shared_ptr<char> workspace_;
  std::map<std::pair<const Op*, std::string>, std::shared_ptr<char> > constants_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GPU_HPP_
