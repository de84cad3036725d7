#include "engine/kernels/winograd_kernel.hpp"

#ifdef __AVX2__
#include "engine/kernels/vector_avx2.hpp"
#include "engine/kernels/winograd_transforms.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

const WinogradKernel* WinogradAvx2(int down, int across) {
#ifdef __AVX2__
  return FindWinograd(down, across);
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
