#include <opencv2/imgcodecs.hpp>

#include "caffe/util/image_codecs.hpp"

namespace {

cv::Mat Read(const std::string& file, int flags) {
  return cv::imread(file, flags);
}

cv::Mat Decode(const cv::Mat& bytes, int flags) {
  return cv::imdecode(bytes, flags);
}

bool Encode(const std::string& ending, const cv::Mat& image,
    std::vector<uchar>* bytes) {
  return cv::imencode(ending, image, *bytes);
}

}  // namespace

const caffe::ImageCodecs caffe_image_codecs = {Read, Decode, Encode};
