#ifndef CAFFE_ENGINE_KERNELS_GROUPED_3X3_PLANE_HPP_
#define CAFFE_ENGINE_KERNELS_GROUPED_3X3_PLANE_HPP_

#include <cstddef>

namespace caffe {
namespace engine {

/// @brief What a branch of grouped 3x3 convolution reads and writes in one image,
///        one vector of output channels or two at a time.
struct GroupedPlane {
  // Which channels an output reads: its group's, of 4 or of 8; or, with weights of 0
  // between, all those of the vector's groups.
  enum { GROUPS_OF_4, GROUPS_OF_8, ALL } channels;
  int count;                 // of these channels, or pairs of bf16
  int vectors;               // two only with pairs, where both read the same
  size_t weights_step;       // from vector to vector
  int step, row;             // floats, or pairs, from pixel to pixel, row to row
  int out_height, out_width;
  int out_step;              // numbers from pixel to pixel of `out`
  float slope;               // of negative results; 1 leaves them as they are
  const float* next;         // weights to be fetched meanwhile, or null
  int next_floats;
};

/**
 * @brief All pixels of a vector of outputs, or two.
 *
 * @param in the vector's first group in the upper left pixel, padding included
 * @param weights [ky][channel][kx][lane]
 * @param out of the type that the function is for
 * @param total the outputs are added to it
 */
typedef void (*GroupedPlaneFunction)(const GroupedPlane& plane, const float* in,
    const float* weights, const float* bias, void* out, float* total);

/// @brief Of vectors of 8 floats; NULL where there is none for such a stride or
///        dilation, or it was not compiled for such a processor.
template <typename T>
GroupedPlaneFunction GroupedPlaneAvx2(int stride, int dilation);
/// @brief Of 16 floats.
template <typename T>
GroupedPlaneFunction GroupedPlaneAvx512(int stride, int dilation);
/// @brief Of 16 outputs, for which `in` and `weights` hold pairs of bf16, as floats;
///        outputs are bf16.
GroupedPlaneFunction GroupedPlaneAvx512BF16(int stride, int dilation);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_GROUPED_3X3_PLANE_HPP_
