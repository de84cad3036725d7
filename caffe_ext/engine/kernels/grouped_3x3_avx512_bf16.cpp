#include "engine/kernels/grouped_3x3_plane.hpp"

#ifdef __AVX512BF16__
#include "engine/kernels/vector_avx512_bf16.hpp"
#include "engine/kernels/grouped_3x3_tiles.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

GroupedPlaneFunction GroupedPlaneAvx512BF16(int stride, int dilation) {
#ifdef __AVX512BF16__
  return FindPlane<BFloat16>(stride, dilation);
#else
  return NULL;
#endif
}

}  // namespace engine
}  // namespace caffe
