#ifdef USE_OPENCV
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <climits>
#include <cmath>
#include <string>
#include <vector>

#include "caffe/util/augmentation.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/limits.hpp"

namespace caffe {

namespace {

bool CropsArea(const TransformationParameter& param, Phase phase) {
  return phase == TRAIN &&
      (param.has_min_area_ratio() || param.has_max_area_ratio() ||
       param.has_min_aspect_ratio() || param.has_max_aspect_ratio());
}

cv::Rect Centre(cv::Size image, int width, int height) {
  return cv::Rect((image.width - width) / 2, (image.height - height) / 2, width,
      height);
}

cv::Rect AreaCrop(const TransformationParameter& param, cv::Size image,
    RandomStream* random) {
  const double low = param.min_aspect_ratio(), high = param.max_aspect_ratio();
  const double image_area = static_cast<double>(image.width) * image.height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = image_area *
        random->Between(param.min_area_ratio(), param.max_area_ratio());
    const double aspect =
        std::exp(random->Between(std::log(low), std::log(high)));
    const int width = cvRound(std::sqrt(area * aspect));
    const int height = cvRound(std::sqrt(area / aspect));
    if (width > 0 && width <= image.width && height > 0 &&
        height <= image.height) {
      const int x = random->Below(image.width - width + 1);
      return cv::Rect(x, random->Below(image.height - height + 1), width,
          height);
    }
  }
  const double aspect = std::min(std::max(
      static_cast<double>(image.width) / image.height, low), high);
  return Centre(image,
      std::max(1, std::min(image.width, cvRound(image.height * aspect))),
      std::max(1, std::min(image.height, cvRound(image.width / aspect))));
}

}  // namespace

Augmentation DrawAugmentation(const TransformationParameter& param, Phase phase,
    cv::Size size, int channels, RandomStream* random) {
  Augmentation drawn;
  const cv::Size crop = param.crop_size() ?
      cv::Size(param.crop_size(), param.crop_size()) : size;
  if (phase == TEST) {
    drawn.crop = Centre(size, crop.width, crop.height);
    return drawn;
  }
  if (CropsArea(param, phase)) {
    drawn.crop = AreaCrop(param, size, random);
  } else {
    const int x = random->Below(size.width - crop.width + 1);
    drawn.crop = cv::Rect(cv::Point(x,
        random->Below(size.height - crop.height + 1)), crop);
  }
  const double angle = param.max_rotation_angle();
  drawn.angle = angle > 0 ? random->Between(-angle, angle) : 0;
  const int jitter = param.max_pixel_jitter();
  for (int c = 0; jitter && c < channels; ++c) {
    drawn.jitter.push_back(random->Below(2 * jitter + 1) - jitter);
  }
  drawn.mirror = param.mirror() && random->Below(2);
  return drawn;
}

cv::Mat CutOut(const cv::Mat& image, const cv::Rect& crop, double angle,
    cv::Size size) {
  cv::Mat view;
  if (angle == 0) {
    if (crop.size() == size) {
      return image(crop);
    }
    cv::resize(image(crop), view, size, 0, 0, cv::INTER_LINEAR);
    return view;
  }
  // Where in the image a pixel of the view lies. Coordinates are of pixels'
  // centres: the first pixel spans -0.5 ... 0.5.
  const double cos = std::cos(angle * CV_PI / 180);
  const double sin = std::sin(angle * CV_PI / 180);
  const double step_x = static_cast<double>(crop.width) / size.width;
  const double step_y = static_cast<double>(crop.height) / size.height;
  const double first_x = step_x * (1 - size.width) / 2;
  const double first_y = step_y * (1 - size.height) / 2;
  const cv::Matx23d to_image(
      cos * step_x, -sin * step_y,
      crop.x + (crop.width - 1) / 2. + cos * first_x - sin * first_y,
      sin * step_x, cos * step_y,
      crop.y + (crop.height - 1) / 2. + sin * first_x + cos * first_y);
  cv::warpAffine(image, view, to_image, size,
      cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REFLECT_101);
  return view;
}

template <typename Dtype>
ImageAugmenter<Dtype>::ImageAugmenter(const TransformationParameter& param,
    Phase phase, const string& layer)
    : param_(param), phase_(phase), layer_(layer),
      crops_area_(CropsArea(param, phase)),
      resizes_(param.shorter_side() && !crops_area_) {
  CHECK(0 < param.min_area_ratio() &&
        param.min_area_ratio() <= param.max_area_ratio() &&
        param.max_area_ratio() <= 1) << layer << ": min_area_ratio is "
      << param.min_area_ratio() << " and max_area_ratio "
      << param.max_area_ratio() << ", expected 0 < min <= max <= 1";
  CHECK(0 < param.min_aspect_ratio() &&
        param.min_aspect_ratio() <= param.max_aspect_ratio()) << layer
      << ": min_aspect_ratio is " << param.min_aspect_ratio()
      << " and max_aspect_ratio " << param.max_aspect_ratio()
      << ", expected 0 < min <= max";
  CHECK(0 <= param.max_rotation_angle() && param.max_rotation_angle() <= 180)
      << layer << ": max_rotation_angle is " << param.max_rotation_angle()
      << ", expected 0 to 180 degrees";
  CHECK_LE(param.max_pixel_jitter(), 255) << layer << ": max_pixel_jitter";
  CHECK(!crops_area_ || param.crop_size()) << layer
      << ": a share of the area is cropped, but no crop_size says to how many "
      << "pixels it is resized";
  CHECK_LE(param.crop_size(), 46340) << layer << ": crop_size";  // squared: an int
  CHECK(!resizes_ || param.crop_size() <= param.shorter_side()) << layer
      << ": a shorter_side of " << param.shorter_side()
      << " cannot hold a crop_size of " << param.crop_size();
  CHECK(!(param.has_mean_file() && param.mean_value_size())) << layer
      << ": cannot specify mean_file and mean_value at the same time";
  if (param.has_mean_file()) {
    BlobProto mean;
    ReadProtoFromBinaryFileOrDie(param.mean_file(), &mean);
    mean_.FromProto(mean);
  }
}

template <typename Dtype>
cv::Size ImageAugmenter<Dtype>::ResizedTo(cv::Size image) const {
  if (!resizes_) {
    return image;
  }
  const double factor = static_cast<double>(param_.shorter_side()) /
      std::min(image.width, image.height);
  const double width = image.width * factor, height = image.height * factor;
  CHECK_LE((width + 1) * (height + 1), INT_MAX) << layer_ << ": an image of "
      << image << " resized to a shorter_side of " << param_.shorter_side();
  return cv::Size(cvRound(width), cvRound(height));
}

template <typename Dtype>
cv::Size ImageAugmenter<Dtype>::OutputSize(cv::Size image) const {
  const cv::Size size = ResizedTo(image);
  const int crop = param_.crop_size();
  if (!crop) {
    return size;
  }
  const bool fits = crops_area_ || std::min(size.width, size.height) >= crop;
  return fits ? cv::Size(crop, crop) : cv::Size();
}

template <typename Dtype>
cv::Point ImageAugmenter<Dtype>::PlaceInMean(const cv::Mat& resized,
    cv::Point crop, cv::Size view) const {
  const cv::Size mean(mean_.width(), mean_.height());
  CHECK_EQ(mean_.channels(), resized.channels()) << layer_
      << ": channels of mean_file";
  if (!crops_area_ && !resizes_) {
    CHECK(mean == resized.size()) << layer_ << ": mean_file is "
        << mean_.shape_string() << ", an image " << resized.rows << " x "
        << resized.cols << ", expected the same";
    return crop;
  }
  CHECK(mean.width >= view.width && mean.height >= view.height) << layer_
      << ": mean_file is " << mean_.shape_string() << ", expected at least "
      << view.height << " x " << view.width;
  return Centre(mean, view.width, view.height).tl();
}

template <typename Dtype>
void ImageAugmenter<Dtype>::Transform(const cv::Mat& image,
    RandomStream* random, Dtype* data) const {
  cv::Mat resized = image;
  const cv::Size size = ResizedTo(image.size());
  MemoryShare share;
  if (image.size() != size) {
    share.Take(size_t(size.area()) * image.elemSize());
    cv::resize(image, resized, size, 0, 0, cv::INTER_LINEAR);
  }
  const int channels = image.channels();
  const Augmentation drawn = DrawAugmentation(param_, phase_, resized.size(),
      channels, random);
  const cv::Mat view = CutOut(resized, drawn.crop, drawn.angle,
      OutputSize(image.size()));
  const int height = view.rows, width = view.cols;
  const Dtype scale = param_.scale();
  const int means = param_.mean_value_size();
  CHECK(means <= 1 || means == channels) << layer_ << ": " << means
      << " values of mean_value for " << channels << " channels";
  const cv::Point place = param_.has_mean_file() ?
      PlaceInMean(resized, drawn.crop.tl(), view.size()) : cv::Point();
  for (int c = 0; c < channels; ++c) {
    // What becomes of each of the 256 values of a pixel; a mean_file's is
    // subtracted later, before the scale.
    Dtype values[256];
    const int jitter = drawn.jitter.empty() ? 0 : drawn.jitter[c];
    const Dtype mean = means ? param_.mean_value(means == 1 ? 0 : c) : 0;
    for (int v = 0; v < 256; ++v) {
      values[v] = (std::min(std::max(v + jitter, 0), 255) - mean) *
          (param_.has_mean_file() ? 1 : scale);
    }
    for (int h = 0; h < height; ++h) {
      const uchar* pixel = view.ptr<uchar>(h) + c;
      Dtype* row = data + (c * height + h) * width;
      if (param_.has_mean_file()) {
        const Dtype* mean_row = mean_.cpu_data() +
            (c * mean_.height() + place.y + h) * mean_.width() + place.x;
        for (int w = 0; w < width; ++w) {
          row[w] = (values[pixel[w * channels]] - mean_row[w]) * scale;
        }
      } else {
        for (int w = 0; w < width; ++w) {
          row[w] = values[pixel[w * channels]];
        }
      }
      if (drawn.mirror) {
        std::reverse(row, row + width);
      }
    }
  }
}

template class ImageAugmenter<float>;
template class ImageAugmenter<double>;

}  // namespace caffe
#endif  // USE_OPENCV
