#ifdef USE_CUDNN
#include "caffe/util/cudnn_context.hpp"

#include <map>
#include <memory>

namespace caffe {

CuDNNContext& CuDNNContext::Get() {
  thread_local std::map<int, std::unique_ptr<CuDNNContext> > of_devices;
  int device;
  CUDA_CHECK(cudaGetDevice(&device));
  std::unique_ptr<CuDNNContext>& context = of_devices[device];
  if (!context) { context.reset(new CuDNNContext(device)); }
  return *context;
}

CuDNNContext::CuDNNContext(int device)
    : device_(device), handle_(NULL), workspace_(NULL), workspace_size_(0) {
  CUDNN_CHECK(cudnnCreate(&handle_));
}

// Statuses are not looked at: the driver may be gone when the process ends.
CuDNNContext::~CuDNNContext() {
  int current;
  const bool known = cudaGetDevice(&current) == cudaSuccess;
  cudaSetDevice(device_);
  cudaFree(workspace_);
  cudnnDestroy(handle_);
  if (known) { cudaSetDevice(current); }
}

bool CuDNNContext::Reserve(size_t bytes) {
  if (bytes <= workspace_size_) { return true; }
  const size_t before = workspace_size_;
  CUDA_CHECK(cudaFree(workspace_));  // waits for what works in it
  if (Allocate(bytes)) { return true; }
  Allocate(before);
  return false;
}

bool CuDNNContext::Allocate(size_t bytes) {
  const bool done = cudaMalloc(&workspace_, bytes) == cudaSuccess;
  if (!done) {
    cudaGetLastError();  // or another's check would find it
    workspace_ = NULL;
  }
  workspace_size_ = done ? bytes : 0;
  return done;
}

}  // namespace caffe
#endif  // USE_CUDNN
