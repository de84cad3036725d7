#ifdef USE_OPENCV
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/common.hpp"
#include "caffe/util/augmentation.hpp"
#include "caffe/util/random_stream.hpp"

namespace caffe {

namespace {

const int kDraws = 20000;

// SENet's.
TransformationParameter AreaParam(float min_area = 0.08, float max_area = 1) {
  TransformationParameter param;
  param.set_crop_size(224);
  param.set_min_area_ratio(min_area);
  param.set_max_area_ratio(max_area);
  param.set_min_aspect_ratio(3. / 4);
  param.set_max_aspect_ratio(4. / 3);
  return param;
}

vector<Augmentation> Draw(const TransformationParameter& param, cv::Size size,
    Phase phase = TRAIN) {
  vector<Augmentation> drawn;
  for (int i = 0; i < kDraws; ++i) {
    RandomStream random(1701, i);
    drawn.push_back(DrawAugmentation(param, phase, size, 3, &random));
  }
  return drawn;
}

template <typename F>
vector<double> Values(const vector<Augmentation>& drawn, const F& f) {
  vector<double> values;
  for (const Augmentation& one : drawn) {
    values.push_back(f(one));
  }
  return values;
}

// Kolmogorov and Smirnov's test at the level 0.1%: the values have that
// cumulative distribution.
void ExpectDistribution(vector<double> values,
    const std::function<double(double)>& cumulative) {
  std::sort(values.begin(), values.end());
  const double n = values.size();
  double distance = 0;
  for (int i = 0; i < n; ++i) {
    const double expected = cumulative(values[i]);
    distance = std::max(distance, std::max((i + 1) / n - expected,
                                           expected - i / n));
  }
  EXPECT_LT(distance, 1.95 / std::sqrt(n));
}

void ExpectUniform(const vector<double>& values, double low, double high) {
  ExpectDistribution(values, [low, high](double value) {
    return std::min(std::max((value - low) / (high - low), 0.), 1.);
  });
}

// Each of low ... high as often, by the chi-squared test's normal limit.
void ExpectEach(const vector<double>& values, int low, int high) {
  const int kinds = high - low + 1;
  vector<double> times(kinds);
  for (double value : values) {
    times.at(static_cast<int>(value) - low) += 1;
  }
  const double expected = static_cast<double>(values.size()) / kinds;
  double chi = 0;
  for (double found : times) {
    chi += (found - expected) * (found - expected) / expected;
  }
  EXPECT_NEAR(kinds - 1, chi, 4 * std::sqrt(2. * (kinds - 1)));
}

double Correlation(const vector<double>& a, const vector<double>& b) {
  const double n = a.size();
  double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (int i = 0; i < n; ++i) {
    sum_a += a[i];
    sum_b += b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return (ab - sum_a * sum_b / n) /
      std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
}

const cv::Size kLarge(4000, 4000);  // so that whole pixels do not matter

double Area(const Augmentation& drawn) { return drawn.crop.area() / 16e6; }

double LogAspect(const Augmentation& drawn) {
  return std::log(drawn.crop.width / static_cast<double>(drawn.crop.height));
}

// A picture without edges, on which half a pixel is a small difference.
cv::Mat Smooth(int height, int width) {
  cv::Mat image(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at<cv::Vec3b>(y, x) = cv::Vec3b(128 + 120 * std::sin(x / 12.),
          128 + 120 * std::cos(y / 9.), 128 + 120 * std::sin((x + 2 * y) / 20.));
    }
  }
  return image;
}

double MaxDifference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_INF);
}

}  // namespace

// Rectangles up to half the area fit into a square in any case.
TEST(AugmentationTest, TestAreaIsUniform) {
  ExpectUniform(Values(Draw(AreaParam(.1, .5), kLarge), Area), .1, .5);
}

TEST(AugmentationTest, TestAspectIsLogUniform) {
  const double bound = std::log(4 / 3.);
  const vector<Augmentation> drawn = Draw(AreaParam(.1, .5), kLarge);
  ExpectUniform(Values(drawn, LogAspect), -bound, bound);
  EXPECT_LT(std::fabs(Correlation(Values(drawn, Area),
      Values(drawn, LogAspect))), 5 / std::sqrt(kDraws));
}

// Larger rectangles that do not fit are drawn again: in a square those of the
// area a fit whose log aspect is within -+ log a.
TEST(AugmentationTest, TestAreaOfSENet) {
  const double low = .08, bound = std::log(4 / 3.);
  const int kSteps = 10000;
  vector<double> sums(1);
  for (int i = 0; i < kSteps; ++i) {
    const double area = low + (1 - low) * (i + .5) / kSteps;
    sums.push_back(sums.back() + std::min(1., -std::log(area) / bound));
  }
  ExpectDistribution(Values(Draw(AreaParam(), kLarge), Area),
      [&](double area) {
    return sums[std::min(std::max(static_cast<int>(
        (area - low) / (1 - low) * kSteps), 0), kSteps)] / sums.back();
  });
}

TEST(AugmentationTest, TestCropLiesAnywhere) {
  const vector<Augmentation> drawn = Draw(AreaParam(.1, .5), kLarge);
  ExpectUniform(Values(drawn, [](const Augmentation& one) {
    return one.crop.x / (4000. - one.crop.width);
  }), 0, 1);
  ExpectUniform(Values(drawn, [](const Augmentation& one) {
    return one.crop.y / (4000. - one.crop.height);
  }), 0, 1);
}

TEST(AugmentationTest, TestCropsAreWithinTheImage) {
  for (const cv::Size& size : {cv::Size(1, 1), cv::Size(2, 3),
                               cv::Size(37, 41), cv::Size(500, 375),
                               cv::Size(3, 500), cv::Size(500, 3)}) {
    const cv::Rect all(cv::Point(), size);
    for (const Augmentation& one : Draw(AreaParam(), size)) {
      EXPECT_GT(one.crop.area(), 0);
      EXPECT_EQ(one.crop, one.crop & all);
    }
  }
}

TEST(AugmentationTest, TestNothingFits) {
  for (const Augmentation& one : Draw(AreaParam(), cv::Size(1000, 12))) {
    EXPECT_EQ(cv::Rect(492, 0, 16, 12), one.crop);
  }
  for (const Augmentation& one : Draw(AreaParam(), cv::Size(12, 1000))) {
    EXPECT_EQ(cv::Rect(0, 492, 12, 16), one.crop);
  }
}

TEST(AugmentationTest, TestAngleIsUniform) {
  TransformationParameter param;
  param.set_max_rotation_angle(10);
  ExpectUniform(Values(Draw(param, cv::Size(30, 20)),
      [](const Augmentation& one) { return one.angle; }), -10, 10);
}

TEST(AugmentationTest, TestJitterIsUniform) {
  TransformationParameter param;
  param.set_max_pixel_jitter(20);
  const vector<Augmentation> drawn = Draw(param, cv::Size(30, 20));
  vector<vector<double> > channels;
  for (int c = 0; c < 3; ++c) {
    channels.push_back(Values(drawn, [c](const Augmentation& one) {
      return one.jitter[c];
    }));
    ExpectEach(channels[c], -20, 20);
  }
  EXPECT_LT(std::fabs(Correlation(channels[0], channels[1])),
      5 / std::sqrt(kDraws));
  EXPECT_LT(std::fabs(Correlation(channels[1], channels[2])),
      5 / std::sqrt(kDraws));
}

TEST(AugmentationTest, TestHalfAreMirrored) {
  TransformationParameter param;
  param.set_mirror(true);
  ExpectEach(Values(Draw(param, cv::Size(30, 20)),
      [](const Augmentation& one) { return one.mirror; }), 0, 1);
}

TEST(AugmentationTest, TestPlainCrop) {
  TransformationParameter param;
  param.set_crop_size(12);
  const vector<Augmentation> drawn = Draw(param, cv::Size(30, 20));
  ExpectEach(Values(drawn, [](const Augmentation& one) {
    return one.crop.x;
  }), 0, 18);
  ExpectEach(Values(drawn, [](const Augmentation& one) {
    return one.crop.y;
  }), 0, 8);
  for (const Augmentation& one : drawn) {
    EXPECT_EQ(cv::Size(12, 12), one.crop.size());
  }
}

TEST(AugmentationTest, TestNothingSet) {
  for (const Augmentation& one : Draw(TransformationParameter(),
                                      cv::Size(30, 20))) {
    EXPECT_EQ(cv::Rect(0, 0, 30, 20), one.crop);
    EXPECT_EQ(0, one.angle);
    EXPECT_TRUE(one.jitter.empty());
    EXPECT_FALSE(one.mirror);
  }
}

TEST(AugmentationTest, TestTestPhaseTakesTheCentre) {
  TransformationParameter param = AreaParam();
  param.set_max_rotation_angle(10);
  param.set_max_pixel_jitter(20);
  param.set_mirror(true);
  for (const Augmentation& one : Draw(param, cv::Size(301, 256), TEST)) {
    EXPECT_EQ(cv::Rect(38, 16, 224, 224), one.crop);
    EXPECT_EQ(0, one.angle);
    EXPECT_TRUE(one.jitter.empty());
    EXPECT_FALSE(one.mirror);
  }
}

TEST(AugmentationTest, TestCutOut) {
  const cv::Mat image = Smooth(90, 120);
  const cv::Rect crop(13, 7, 50, 40);
  cv::Mat expected;
  cv::resize(image(crop), expected, cv::Size(64, 32));
  EXPECT_EQ(0, MaxDifference(expected, CutOut(image, crop, 0,
      cv::Size(64, 32))));
  EXPECT_EQ(0, MaxDifference(image(crop), CutOut(image, crop, 0, crop.size())));
}

TEST(AugmentationTest, TestQuarterTurn) {
  const cv::Mat image = Smooth(90, 120);
  const cv::Rect crop(13, 7, 40, 40);
  cv::Mat expected;
  cv::rotate(image(crop), expected, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_EQ(0, MaxDifference(expected, CutOut(image, crop, 90, crop.size())));
}

// The whole image turned, and then cropped: beside the crop there is more of the
// image and, at its edges, its reflection.
TEST(AugmentationTest, TestRotation) {
  const cv::Mat image = Smooth(90, 120);
  for (const cv::Rect& crop : {cv::Rect(30, 20, 50, 40),
                               cv::Rect(0, 0, 120, 90)}) {
    for (const double angle : {-10., 3., 120.}) {
      const cv::Point2f centre(crop.x + (crop.width - 1) / 2.f,
                               crop.y + (crop.height - 1) / 2.f);
      cv::Mat turned;
      cv::warpAffine(image, turned, cv::getRotationMatrix2D(centre, angle, 1),
          image.size(), cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
      EXPECT_LE(MaxDifference(turned(crop),
          CutOut(image, crop, angle, crop.size())), 2);
    }
  }
}

// Where each pixel's centre comes from, by the formula in reals. OpenCV rounds
// to a 32nd of a pixel.
TEST(AugmentationTest, TestRotatedAndResized) {
  const cv::Mat image = Smooth(90, 120);
  const cv::Rect crop(40, 25, 44, 36);
  const double angle = 10 * CV_PI / 180;
  const cv::Size size(30, 50);
  const cv::Mat view = CutOut(image, crop, 10, size);
  ASSERT_EQ(size, view.size());
  for (int v = 0; v < size.height; ++v) {
    for (int u = 0; u < size.width; ++u) {
      const double dx = ((u + .5) / size.width - .5) * crop.width;
      const double dy = ((v + .5) / size.height - .5) * crop.height;
      const double x = crop.x + crop.width / 2. - .5 +
          std::cos(angle) * dx - std::sin(angle) * dy;
      const double y = crop.y + crop.height / 2. - .5 +
          std::sin(angle) * dx + std::cos(angle) * dy;
      const int x0 = std::floor(x), y0 = std::floor(y);
      for (int c = 0; c < 3; ++c) {
        double expected = 0;
        for (int i = 0; i < 4; ++i) {
          const int xi = x0 + i % 2, yi = y0 + i / 2;
          expected += (1 - std::fabs(x - xi)) * (1 - std::fabs(y - yi)) *
              image.at<cv::Vec3b>(yi, xi)[c];
        }
        EXPECT_NEAR(expected, view.at<cv::Vec3b>(v, u)[c], 2);
      }
    }
  }
}

}  // namespace caffe
#endif  // USE_OPENCV
