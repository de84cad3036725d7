#include "engine/bfloat16.hpp"
#include "engine/kernels/grouped_3x3_plane.hpp"

#ifdef __AVX2__
#include "engine/kernels/vector_avx2.hpp"
#include "engine/kernels/grouped_3x3_tiles.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

template <typename T>
GroupedPlaneFunction GroupedPlaneAvx2(int stride, int dilation) {
#ifdef __AVX2__
  return FindPlane<T>(stride, dilation);
#else
  return NULL;
#endif
}

template GroupedPlaneFunction GroupedPlaneAvx2<float>(int, int);
template GroupedPlaneFunction GroupedPlaneAvx2<BFloat16>(int, int);

}  // namespace engine
}  // namespace caffe
