#ifndef CAFFE_UTIL_IMAGE_SOURCE_HPP_
#define CAFFE_UTIL_IMAGE_SOURCE_HPP_
#ifdef USE_OPENCV
#include <opencv2/core/core.hpp>

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

/// @brief Images with labels, by their number. Several threads may read at once.
class ImageSource {
 public:
  /// @brief What a data layer names: the database of its data_param or the list
  ///        of its image_data_param, whichever of the two has a source.
  static shared_ptr<ImageSource> Open(const LayerParameter& param);

  ImageSource() {}
  virtual ~ImageSource() {}
  virtual int size() const = 0;
  /// @brief What the user calls image i, for messages.
  virtual string name(int i) const = 0;
  /// @brief Image i, or an empty one if it cannot be read or decoded.
  virtual cv::Mat Read(int i, int* label) const = 0;

  DISABLE_COPY_AND_ASSIGN(ImageSource);
};

}  // namespace caffe

#endif  // USE_OPENCV
#endif  // CAFFE_UTIL_IMAGE_SOURCE_HPP_
