#ifndef CAFFE_UTIL_AUGMENTATION_HPP_
#define CAFFE_UTIL_AUGMENTATION_HPP_
#ifdef USE_OPENCV
#include <opencv2/core/core.hpp>

#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/random_stream.hpp"

namespace caffe {

/// @brief What happens to an image, in this order.
struct Augmentation {
  cv::Rect crop;
  double angle = 0;  ///< degrees, counter-clockwise
  vector<int> jitter;  ///< for each channel; empty: none
  bool mirror = false;
};

/**
 * @brief Draws what happens to an image, by the distributions that the comments
 *        in caffe.proto give; in TEST the centre's crop.
 *
 * @param size of the image, at least crop_size if no share of it is cropped
 */
Augmentation DrawAugmentation(const TransformationParameter& param, Phase phase,
    cv::Size size, int channels, RandomStream* random);

/// @brief The crop, turned around its centre, in as many pixels as `size` says.
cv::Mat CutOut(const cv::Mat& image, const cv::Rect& crop, double angle,
    cv::Size size);

/**
 * @brief Makes a net's input of an image: all that transform_param says.
 *
 * Where there is nothing random but mirror and crop, it does what
 * DataTransformer does. A mean_file has the images' size and is cropped with
 * them or, where these are resized, its centre is subtracted.
 */
template <typename Dtype>
class ImageAugmenter {
 public:
  /// @param layer what to call the layer in messages
  ImageAugmenter(const TransformationParameter& param, Phase phase,
      const string& layer);

  /// @brief Height and width of what becomes of an image; of one that is too
  ///        small for the crop, 0.
  cv::Size OutputSize(cv::Size image) const;

  /// @param data C x height x width of them
  void Transform(const cv::Mat& image, RandomStream* random, Dtype* data) const;

 private:
  cv::Size ResizedTo(cv::Size image) const;
  /// Where in the mean lies what is subtracted from a view at `crop`.
  cv::Point PlaceInMean(const cv::Mat& resized, cv::Point crop,
      cv::Size view) const;

  const TransformationParameter param_;
  const Phase phase_;
  const string layer_;
  /// Whether a share of the area is cropped, and whether the shorter side is
  /// resized.
  const bool crops_area_, resizes_;
  Blob<Dtype> mean_;
};

}  // namespace caffe

#endif  // USE_OPENCV
#endif  // CAFFE_UTIL_AUGMENTATION_HPP_
