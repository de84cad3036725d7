#include "engine/kernels/panel_kernel.hpp"

#ifdef __AVX512F__
#include "engine/kernels/vector_avx512.hpp"
namespace { typedef Vector512 Vector; }
#include "engine/kernels/panels.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

const PanelKernel* PanelsAvx512() {
#ifdef __AVX512F__
  return &kPanels;
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
