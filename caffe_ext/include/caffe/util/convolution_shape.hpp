#ifndef CAFFE_UTIL_CONVOLUTION_SHAPE_HPP_
#define CAFFE_UTIL_CONVOLUTION_SHAPE_HPP_

#include <cstring>

namespace caffe {

/// @brief Sizes of a convolution of images; of pairs, the vertical one first.
struct ConvolutionShape {
  int num, channels, outputs, groups;
  int input[2], output[2];  // height and width
  int kernel[2], stride[2], pad[2], dilation[2];

  bool operator==(const ConvolutionShape& other) const {
    static_assert(sizeof(ConvolutionShape) == 16 * sizeof(int), "no gaps");
    return std::memcmp(this, &other, sizeof(other)) == 0;
  }
};

}  // namespace caffe

#endif  // CAFFE_UTIL_CONVOLUTION_SHAPE_HPP_
