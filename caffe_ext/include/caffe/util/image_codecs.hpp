#ifndef CAFFE_UTIL_IMAGE_CODECS_HPP_
#define CAFFE_UTIL_IMAGE_CODECS_HPP_

#ifdef USE_OPENCV
#include <opencv2/core.hpp>

#include <string>
#include <vector>

namespace caffe {

/// @brief OpenCV's imread, imdecode and imencode.
///
/// They are in a library of their own, libcaffe_codecs: Linux distributions' bring a
/// hundred others with them (GDAL's, for one), 30 MiB and a third of Caffe's start.
struct ImageCodecs {
  cv::Mat (*read)(const std::string& file, int flags);
  cv::Mat (*decode)(const cv::Mat& bytes, int flags);
  bool (*encode)(const std::string& ending, const cv::Mat& image,
                 std::vector<uchar>* bytes);
};

/// @brief The codecs, loaded when they are first asked for. An Error where there is
///        no such library, or not all that it needs.
const ImageCodecs& GetImageCodecs();

}  // namespace caffe

extern "C" const caffe::ImageCodecs caffe_image_codecs;  // libcaffe_codecs's

#endif  // USE_OPENCV
#endif  // CAFFE_UTIL_IMAGE_CODECS_HPP_
