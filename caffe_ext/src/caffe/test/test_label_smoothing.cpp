#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/layers/softmax_loss_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

// SoftmaxWithLoss with loss_param { label_smoothing }.
template <typename TypeParam>
class LabelSmoothingTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  LabelSmoothingTest() : x_(kNum, kClasses, 2, 3), label_(kNum, 1, 2, 3) {
    Caffe::set_random_seed(1701);
    FillerParameter filler_param;
    filler_param.set_std(2);
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(&x_);
    for (int i = 0; i < label_.count(); ++i) {
      label_.mutable_cpu_data()[i] = caffe_rng_rand() % kClasses;
    }
    bottom_ = {&x_, &label_};
    top_ = {&loss_};
    param_.set_name("loss");
    param_.add_loss_weight(3);
  }

  LossParameter* Loss() { return param_.mutable_loss_param(); }

  // The loss and its gradient, from the definition, against the layer's.
  void ExpectDefinition() {
    const LossParameter& param = param_.loss_param();
    const double e = param.label_smoothing();
    vector<double> gradient(x_.count());
    double loss = 0;
    int valid = 0;
    for (int i = 0; i < label_.count(); ++i) {
      const int label = label_.cpu_data()[i];
      if (param.has_ignore_label() && label == param.ignore_label()) {
        continue;
      }
      ++valid;
      const int first = i / kPlaces * kClasses * kPlaces + i % kPlaces;
      double sum = 0;
      for (int c = 0; c < kClasses; ++c) {
        sum += std::exp(x_.cpu_data()[first + c * kPlaces]);
      }
      for (int c = 0; c < kClasses; ++c) {
        const double target = (c == label) * (1 - e) + e / kClasses;
        const double logit = x_.cpu_data()[first + c * kPlaces];
        loss -= target * (logit - std::log(sum));
        gradient[first + c * kPlaces] = std::exp(logit) / sum - target;
      }
    }
    const double normalizer[] = {kNum * kPlaces, double(valid), kNum, 1};
    const double scale = 1 / normalizer[param.normalization()];
    SoftmaxWithLossLayer<Dtype> layer(param_);
    layer.SetUp(bottom_, top_);
    layer.Forward(bottom_, top_);
    EXPECT_NEAR(loss * scale, loss_.cpu_data()[0], 1e-5 * loss * scale);
    loss_.mutable_cpu_diff()[0] = 3;
    layer.Backward(top_, {true, false}, bottom_);
    for (int i = 0; i < x_.count(); ++i) {
      EXPECT_NEAR(3 * gradient[i] * scale, x_.cpu_diff()[i], 1e-5);
    }
  }

  enum { kNum = 10, kClasses = 5, kPlaces = 6 };
  LayerParameter param_;
  Blob<Dtype> x_, label_, loss_;
  vector<Blob<Dtype>*> bottom_, top_;
};

TYPED_TEST_CASE(LabelSmoothingTest, TestDtypesAndDevices);

TYPED_TEST(LabelSmoothingTest, TestForwardBackward) {
  for (const float e : {0.f, 0.1f, 0.75f}) {
    this->Loss()->set_label_smoothing(e);
    this->Loss()->clear_ignore_label();
    for (const auto mode : {LossParameter_NormalizationMode_FULL,
         LossParameter_NormalizationMode_VALID,
         LossParameter_NormalizationMode_BATCH_SIZE,
         LossParameter_NormalizationMode_NONE}) {
      this->Loss()->set_normalization(mode);
      this->ExpectDefinition();
    }
  }
}

TYPED_TEST(LabelSmoothingTest, TestIgnoreLabel) {
  this->Loss()->set_label_smoothing(0.1);
  this->Loss()->set_ignore_label(2);
  for (const auto mode : {LossParameter_NormalizationMode_FULL,
       LossParameter_NormalizationMode_VALID,
       LossParameter_NormalizationMode_BATCH_SIZE,
       LossParameter_NormalizationMode_NONE}) {
    this->Loss()->set_normalization(mode);
    this->ExpectDefinition();
  }
}

TYPED_TEST(LabelSmoothingTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  this->Loss()->set_label_smoothing(0.1);
  this->Loss()->set_ignore_label(0);
  this->Loss()->set_normalization(LossParameter_NormalizationMode_NONE);
  SoftmaxWithLossLayer<Dtype> layer(this->param_);
  GradientChecker<Dtype> checker(1e-2, 1e-2, 1701);
  checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_, 0);
}

// Without smoothing the gradient is p - 1 and p, to the last bit.
TYPED_TEST(LabelSmoothingTest, TestZeroIsExact) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter softmax_param;
  softmax_param.set_type("Softmax");
  shared_ptr<Layer<Dtype> > softmax =
      LayerRegistry<Dtype>::CreateLayer(softmax_param);
  Blob<Dtype> p;
  const vector<Blob<Dtype>*> x(1, &this->x_), softmax_top(1, &p);
  softmax->SetUp(x, softmax_top);
  softmax->Forward(x, softmax_top);
  this->Loss()->set_label_smoothing(0);
  this->Loss()->set_normalization(LossParameter_NormalizationMode_NONE);
  SoftmaxWithLossLayer<Dtype> layer(this->param_);
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  this->loss_.mutable_cpu_diff()[0] = 1;
  layer.Backward(this->top_, {true, false}, this->bottom_);
  for (int i = 0; i < p.count(); ++i) {
    const int c = p.shape(1), places = p.count(2);
    const int label =
        this->label_.cpu_data()[i / places / c * places + i % places];
    EXPECT_EQ(p.cpu_data()[i] - (i / places % c == label),
        this->x_.cpu_diff()[i]);
  }
}

TYPED_TEST(LabelSmoothingTest, TestOutOfRange) {
  typedef typename TypeParam::Dtype Dtype;
  for (const float e : {-0.1f, 1.f, 10.f, NAN}) {
    this->Loss()->set_label_smoothing(e);
    SoftmaxWithLossLayer<Dtype> layer(this->param_);
    EXPECT_ERROR(layer.SetUp(this->bottom_, this->top_),
        "'loss': label_smoothing is .*, expected a number in \\[0, 1\\)");
  }
}

}  // namespace caffe
