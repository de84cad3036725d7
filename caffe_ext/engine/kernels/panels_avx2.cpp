#include "engine/kernels/panel_kernel.hpp"

#ifdef __AVX2__
#include "engine/kernels/vector_avx2.hpp"
#include "engine/kernels/panels.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

const PanelKernel* PanelsAvx2() {
#ifdef __AVX2__
  return &kPanels;
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
