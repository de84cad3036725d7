#include "engine/ops/caffe_layer.hpp"

#include "engine/gpu/gpu.hpp"
#include "engine/gpu/steps.hpp"

namespace caffe {
namespace engine {

namespace {

// In whichever mode the thread is: blobs take what the layer leaves to the GPU.
class GpuCaffeLayerStep : public CaffeLayerStep {
 public:
  GpuCaffeLayerStep(CaffeLayer* op, Gpu* gpu) : CaffeLayerStep(op), gpu_(gpu) {}

  // Layers may take from the processor, and bring other streams.
  virtual bool Recordable() const { return false; }

 protected:
  virtual void Copy(const float* from, Blob<float>* to) const {
    Copy(from, to->mutable_gpu_data(), to->count());
  }
  virtual void Copy(const Blob<float>& from, float* to) const {
    Copy(from.gpu_data(), to, from.count());
  }

 private:
  // After the layer's work on the default stream, and before what comes there.
  void Copy(const float* from, float* to, int count) const {
    CUDA_CHECK(cudaMemcpyAsync(to, from, count * sizeof(float),
                               cudaMemcpyDeviceToDevice, gpu_->stream()));
  }

  Gpu* const gpu_;
};

}  // namespace

std::unique_ptr<Step> MakeGpuStep(CaffeLayer& op, Gpu* gpu) {  // NOLINT
  return std::unique_ptr<Step>(new GpuCaffeLayerStep(&op, gpu));
}

}  // namespace engine
}  // namespace caffe
