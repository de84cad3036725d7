#include "engine/gpu/mma.hpp"

#include <cuda_runtime.h>

#include "caffe/common.hpp"

namespace caffe {
namespace engine {

bool HasMma() {
  int device, major;
  CUDA_CHECK(cudaGetDevice(&device));
  CUDA_CHECK(cudaDeviceGetAttribute(&major,
      cudaDevAttrComputeCapabilityMajor, device));
  return major >= 8;
}

}  // namespace engine
}  // namespace caffe
