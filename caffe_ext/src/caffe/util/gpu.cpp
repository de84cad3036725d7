#include "caffe/util/gpu.hpp"

#include <string>

#include "caffe/common.hpp"

namespace caffe {

#ifdef CPU_ONLY

void RequireGpu(int device) {
  LOG(FATAL) << "Cannot use a GPU: this Caffe was built for CPUs only "
                "(CPU_ONLY=ON)";
}

bool HasGpu() { return false; }

#else

namespace {

std::string Version(int number) {
  return std::to_string(number / 1000) + "." +
      std::to_string(number % 1000 / 10);
}

// Why cudaGetDeviceCount failed.
std::string Reason(cudaError_t error) {
  int driver = 0;
  if (error == cudaErrorNoDevice) {
    return "there is none here";
  }
  if (error != cudaErrorInsufficientDriver) {
    return cudaGetErrorString(error);
  }
  // The version is 0 where there is no driver.
  if (cudaDriverGetVersion(&driver) != cudaSuccess || !driver) {
    return "there is no NVIDIA driver here";
  }
  return "the driver is too old: it has CUDA " + Version(driver) +
      ", and this Caffe was built with CUDA " + Version(CUDART_VERSION);
}

}  // namespace

void RequireGpu(int device) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();  // or it is the next check's
    LOG(FATAL) << "Cannot use a GPU: " << Reason(error);
  }
  if (device < 0 || device >= count) {
    LOG(FATAL) << "Cannot use GPU " << device << ": there are " << count
        << " here, numbered from 0";
  }
}

bool HasGpu() {
  static const bool has_gpu = [] {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
      cudaGetLastError();
    }
    return error == cudaSuccess && count > 0;
  }();
  return has_gpu;
}

#endif  // CPU_ONLY

}  // namespace caffe
