#include "engine/bfloat16.hpp"
#include "engine/kernels/grouped_3x3_plane.hpp"

#ifdef __AVX512F__
#include "engine/kernels/vector_avx512.hpp"
namespace { typedef Vector512 Vector; }
#include "engine/kernels/grouped_3x3_tiles.hpp"  // NOLINT: of Vectors
#endif

namespace caffe {
namespace engine {

template <typename T>
GroupedPlaneFunction GroupedPlaneAvx512(int stride, int dilation) {
#ifdef __AVX512F__
  return FindPlane<T>(stride, dilation);
#else
  return NULL;
#endif
}

template GroupedPlaneFunction GroupedPlaneAvx512<float>(int, int);
template GroupedPlaneFunction GroupedPlaneAvx512<BFloat16>(int, int);

}  // namespace engine
}  // namespace caffe
