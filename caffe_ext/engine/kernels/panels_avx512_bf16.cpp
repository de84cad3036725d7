#include "engine/kernels/panel_kernel.hpp"

#ifdef __AVX512BF16__
#include "engine/kernels/vector_avx512_bf16.hpp"
#include "engine/kernels/panels.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

const PanelKernel* PanelsAvx512BF16() {
#ifdef __AVX512BF16__
  return &kPanels;
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
