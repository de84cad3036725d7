#include <cuda_runtime.h>

#include "caffe/common.hpp"
#include "engine/gpu/mma.hpp"

namespace caffe {
namespace engine {

namespace {

__global__ void Nothing() {}

}  // namespace

bool HasMma() {
  int device, major;
  CUDA_CHECK(cudaGetDevice(&device));
  CUDA_CHECK(cudaDeviceGetAttribute(&major,
      cudaDevAttrComputeCapabilityMajor, device));
  // A newer device may run code that was compiled for an older one.
  cudaFuncAttributes compiled;
  CUDA_CHECK(cudaFuncGetAttributes(&compiled, Nothing));
  return major >= 8 && compiled.ptxVersion >= 80;
}

}  // namespace engine
}  // namespace caffe
