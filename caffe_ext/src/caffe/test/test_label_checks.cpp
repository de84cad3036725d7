#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/accuracy_layer.hpp"
#include "caffe/layers/embed_layer.hpp"
#include "caffe/layers/softmax_loss_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"

namespace caffe {

// Labels that are no class: an error on both devices.
template <typename TypeParam>
class LabelChecksTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  LabelChecksTest() : x_(4, 3, 2, 1), label_(4, 1, 2, 1),
      bad_({3, 1000000, -1, -1000000, 1e30,
            std::numeric_limits<double>::quiet_NaN()}) {
    Caffe::set_random_seed(1701);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(&x_);
    bottom_ = {&x_, &label_};
  }

  void SetLabels(double sixth) {
    for (int i = 0; i < label_.count(); ++i) {
      label_.mutable_cpu_data()[i] = i == 5 ? sixth : i % 3;
    }
  }

  // The layer refuses bad labels, and works on.
  template <typename LayerType>
  void ExpectRefusals(const LayerParameter& param, int tops) {
    vector<Blob<Dtype> > y(tops);
    vector<Blob<Dtype>*> top;
    for (Blob<Dtype>& each : y) { top.push_back(&each); }
    LayerType layer(param);
    SetLabels(1);
    layer.SetUp(bottom_, top);
    layer.Forward(bottom_, top);
    const Dtype good = y[0].cpu_data()[0];
    EXPECT_FALSE(std::isnan(good));
    for (const double bad : bad_) {
      SetLabels(bad);
      EXPECT_ERROR(layer.Forward(bottom_, top), "label or index .* 0 to 2");
    }
    SetLabels(1);
    layer.Forward(bottom_, top);
    EXPECT_EQ(good, y[0].cpu_data()[0]);
  }

  Blob<Dtype> x_, label_;
  const vector<double> bad_;
  vector<Blob<Dtype>*> bottom_;
};

TYPED_TEST_CASE(LabelChecksTest, TestDtypesAndDevices);

TYPED_TEST(LabelChecksTest, TestSoftmaxLoss) {
  typedef SoftmaxWithLossLayer<typename TypeParam::Dtype> LayerType;
  LayerParameter param;
  this->template ExpectRefusals<LayerType>(param, 1);
  param.mutable_loss_param()->set_label_smoothing(0.1);
  param.mutable_loss_param()->set_ignore_label(7);
  this->template ExpectRefusals<LayerType>(param, 1);
}

TYPED_TEST(LabelChecksTest, TestAccuracy) {
  typedef AccuracyLayer<typename TypeParam::Dtype> LayerType;
  LayerParameter param;
  this->template ExpectRefusals<LayerType>(param, 1);
  this->template ExpectRefusals<LayerType>(param, 2);
  param.mutable_accuracy_param()->set_ignore_label(7);
  this->template ExpectRefusals<LayerType>(param, 1);
}

// A loss that is NaN of the scores, not of a label, is Caffe's to return.
TYPED_TEST(LabelChecksTest, TestNaNScores) {
  typedef typename TypeParam::Dtype Dtype;
  Blob<Dtype> y;
  SoftmaxWithLossLayer<Dtype> layer((LayerParameter()));
  this->SetLabels(1);
  layer.SetUp(this->bottom_, {&y});
  this->x_.mutable_cpu_data()[0] = std::numeric_limits<Dtype>::quiet_NaN();
  EXPECT_NO_THROW(layer.Forward(this->bottom_, {&y}));
}

// A label to ignore need not be a class: nothing is read there.
TYPED_TEST(LabelChecksTest, TestIgnored) {
  typedef typename TypeParam::Dtype Dtype;
  const int kFar = -100000000;
  LayerParameter param;
  param.mutable_loss_param()->set_ignore_label(kFar);
  param.mutable_accuracy_param()->set_ignore_label(kFar);
  Blob<Dtype> loss, accuracy, of_classes;
  this->SetLabels(kFar);
  SoftmaxWithLossLayer<Dtype> loss_layer(param);
  loss_layer.SetUp(this->bottom_, {&loss});
  loss_layer.Forward(this->bottom_, {&loss});
  EXPECT_GT(loss.cpu_data()[0], 0);
  AccuracyLayer<Dtype> accuracy_layer(param);
  accuracy_layer.SetUp(this->bottom_, {&accuracy});
  accuracy_layer.Forward(this->bottom_, {&accuracy});
  const Dtype alone = accuracy.cpu_data()[0];
  AccuracyLayer<Dtype> classes_layer(param);
  classes_layer.SetUp(this->bottom_, {&accuracy, &of_classes});
  classes_layer.Forward(this->bottom_, {&accuracy, &of_classes});
  EXPECT_EQ(alone, accuracy.cpu_data()[0]);
}

// An index that is none: an error on the CPU, NaN on the GPU, which waits for
// nothing there. No gradient goes beyond the weights.
TYPED_TEST(LabelChecksTest, TestEmbed) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter param;
  param.mutable_embed_param()->set_num_output(2);
  param.mutable_embed_param()->set_input_dim(3);
  param.mutable_embed_param()->set_bias_term(false);
  param.mutable_embed_param()->mutable_weight_filler()->set_value(5);
  Blob<Dtype> y;
  const vector<Blob<Dtype>*> bottom = {&this->label_}, top = {&y};
  EmbedLayer<Dtype> layer(param);
  this->SetLabels(1);
  layer.SetUp(bottom, top);
  for (const double bad : this->bad_) {
    this->SetLabels(bad);
    if (Caffe::mode() == Caffe::CPU) {
      EXPECT_ERROR(layer.Forward(bottom, top), "label or index .* 0 to 2");
      continue;
    }
    layer.Forward(bottom, top);
    for (int i = 0; i < y.count(); ++i) {
      EXPECT_EQ(i / 2 == 5, std::isnan(y.cpu_data()[i])) << i;
    }
    Blob<Dtype>& weights = *layer.blobs()[0];
    caffe_set(weights.count(), Dtype(0), weights.mutable_cpu_diff());
    caffe_set(y.count(), Dtype(1), y.mutable_cpu_diff());
    layer.Backward(top, {false}, bottom);
    EXPECT_EQ(14, weights.asum_diff());
  }
}

}  // namespace caffe
