#ifndef CAFFE_ENGINE_KERNELS_GROUPED_3X3_UNIT_HPP_
#define CAFFE_ENGINE_KERNELS_GROUPED_3X3_UNIT_HPP_

#include <cstdint>

namespace caffe {
namespace engine {

/// @brief What a grouped 3x3 convolution of bf16 reads and writes in one image, 32
///        channels at a time: of whole groups, and a cache line.
struct GroupedUnit {
  static const int kChannels = 32;
  static const int kBlock = 16;   // outputs that are computed at a time
  static const int kWeights = 9 * kChannels * kBlock;  // of a block

  int row;                        // numbers from row to row of `in`
  int stride, dilation;
  int out_height, out_width;
  int out_step;                   // numbers from pixel to pixel of `out`
  float slope;                    // of negative results; 1 leaves them as they are
};

/**
 * @brief All pixels of some blocks of outputs.
 *
 * @param in finite bf16, [y][x][channel], from the first window's upper left pixel
 * @param weights bf16, [block][ky][kx][channel / 2][output][channel % 2], of 0
 *        between groups
 * @param out bf16
 * @param total the outputs are added to it
 */
typedef void (*GroupedUnitFunction)(const GroupedUnit& unit, int blocks,
    const uint16_t* in, const uint16_t* weights, const float* bias,
    uint16_t* out, float* total);

/// @brief With AMX's tiles; NULL where it was not compiled for such a processor.
GroupedUnitFunction GroupedUnitAmx();

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_GROUPED_3X3_UNIT_HPP_
