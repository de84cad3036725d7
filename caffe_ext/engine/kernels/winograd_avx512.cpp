#include "engine/kernels/winograd_kernel.hpp"

#ifdef __AVX512F__
#include "engine/kernels/vector_avx512.hpp"
namespace { typedef Vector512 Vector; }
#include "engine/kernels/winograd_transforms.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

const WinogradKernel* WinogradAvx512(int down, int across) {
#ifdef __AVX512F__
  return FindWinograd(down, across);
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
