#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/interp_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

template <typename TypeParam>
class InterpLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  InterpLayerTest() : bottom_({&x_, &like_}), top_({&y_}) {
    Caffe::set_random_seed(1701);
    param_.set_name("resize");
  }

  void Fill(int in_h, int in_w, int out_h, int out_w) {
    x_.Reshape({2, 3, in_h, in_w});
    like_.Reshape({1, 2, out_h, out_w});
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(&x_);
    filler.Fill(&like_);
  }

  void FillTopDiff() {
    for (int i = 0; i < y_.count(); ++i) {
      y_.mutable_cpu_diff()[i] = Dtype(i % 7) - 3;
    }
  }

  // The share of input k in output i, along an axis: a hat around its place.
  static double Share(int k, int i, int in, int out) {
    const double place = out > 1 ? i * (in - 1.0) / (out - 1) : 0;
    return std::max(0., 1 - std::fabs(place - k));
  }

  void ExpectForwardBackward() {
    const int in_h = x_.shape(2), in_w = x_.shape(3);
    const int out_h = y_.shape(2), out_w = y_.shape(3);
    ASSERT_EQ(vector<int>({2, 3, like_.shape(2), like_.shape(3)}), y_.shape());
    vector<double> y(y_.count()), dx(x_.count());
    for (int o = 0; o < y_.count(); ++o) {
      for (int k = 0; k < in_h * in_w; ++k) {
        const int x = o / (out_h * out_w) * in_h * in_w + k;
        const double share =
            Share(k / in_w, o / out_w % out_h, in_h, out_h) *
            Share(k % in_w, o % out_w, in_w, out_w);
        y[o] += share * x_.cpu_data()[x];
        dx[x] += share * y_.cpu_diff()[o];
      }
    }
    for (int i = 0; i < y_.count(); ++i) {
      EXPECT_NEAR(y[i], y_.cpu_data()[i], 1e-5);
    }
    for (int i = 0; i < x_.count(); ++i) {
      EXPECT_NEAR(dx[i], x_.cpu_diff()[i], 1e-4);
    }
  }

  // The size of the top for an x of 7 x 10, by interp_param alone.
  vector<int> TopSize(const LayerParameter& param) {
    InterpLayer<Dtype> layer(param);
    x_.Reshape({2, 3, 7, 10});
    bottom_ = {&x_};
    layer.SetUp(bottom_, top_);
    return y_.shape();
  }

  LayerParameter param_;
  Blob<Dtype> x_, like_, y_;
  vector<Blob<Dtype>*> bottom_, top_;
};

TYPED_TEST_CASE(InterpLayerTest, TestDtypesAndDevices);

// The same layer object throughout: the sizes may change between calls.
TYPED_TEST(InterpLayerTest, TestForwardBackward) {
  typedef typename TypeParam::Dtype Dtype;
  const vector<vector<int> > sizes = {{7, 7, 14, 14}, {14, 14, 7, 9},
      {4, 5, 4, 5}, {1, 1, 5, 4}, {5, 4, 1, 1}, {1, 1, 1, 1}, {1, 6, 6, 1},
      {2, 2, 3, 3}, {3, 8, 11, 6}, {20, 30, 41, 50}};
  InterpLayer<Dtype> layer(this->param_);
  this->Fill(3, 3, 5, 5);
  layer.SetUp(this->bottom_, this->top_);
  for (const vector<int>& size : sizes) {
    this->Fill(size[0], size[1], size[2], size[3]);
    layer.Forward(this->bottom_, this->top_);
    this->FillTopDiff();
    layer.Backward(this->top_, {true, true}, this->bottom_);
    SCOPED_TRACE(this->x_.shape_string() + "like " +
        this->like_.shape_string());
    this->ExpectForwardBackward();
  }
}

TYPED_TEST(InterpLayerTest, TestCornersAndSameSizeAreExact) {
  typedef typename TypeParam::Dtype Dtype;
  InterpLayer<Dtype> layer(this->param_);
  this->Fill(7, 3, 13, 57);
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  for (const int h : {0, 1}) {
    for (const int w : {0, 1}) {
      EXPECT_EQ(this->x_.data_at(1, 2, h * 6, w * 2),
          this->y_.data_at(1, 2, h * 12, w * 56));
    }
  }
  this->Fill(5, 9, 5, 9);
  layer.Forward(this->bottom_, this->top_);
  for (int i = 0; i < this->x_.count(); ++i) {
    EXPECT_EQ(this->x_.cpu_data()[i], this->y_.cpu_data()[i]);
  }
}

// bottom[1] among them: whatever its values, nothing changes.
TYPED_TEST(InterpLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  const vector<vector<int> > sizes = {{2, 3, 4, 5}, {4, 5, 3, 2}, {1, 2, 3, 1}};
  for (const vector<int>& size : sizes) {
    InterpLayer<Dtype> layer(this->param_);
    this->Fill(size[0], size[1], size[2], size[3]);
    GradientChecker<Dtype> checker(1e-2, 1e-3);
    checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_);
  }
}

// Zeroes, not what was there: Net adds up the gradients of a blob's users.
TYPED_TEST(InterpLayerTest, TestPropagateDown) {
  typedef typename TypeParam::Dtype Dtype;
  InterpLayer<Dtype> layer(this->param_);
  this->Fill(3, 4, 5, 6);
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  this->FillTopDiff();
  for (int wanted = 0; wanted < 4; ++wanted) {
    const bool x = wanted & 1, like = wanted & 2;
    for (Blob<Dtype>* blob : this->bottom_) {
      caffe_set(blob->count(), Dtype(1234), blob->mutable_cpu_diff());
    }
    layer.Backward(this->top_, {x, like}, this->bottom_);
    for (int i = 0; i < this->x_.count(); ++i) {
      EXPECT_EQ(!x, this->x_.cpu_diff()[i] == 1234);
    }
    for (int i = 0; i < this->like_.count(); ++i) {
      EXPECT_EQ(like ? 0 : 1234, this->like_.cpu_diff()[i]);
    }
  }
}

TYPED_TEST(InterpLayerTest, TestSizeOfOneBottom) {
  LayerParameter param;
  InterpParameter* interp = param.mutable_interp_param();
  interp->set_zoom_factor(2);
  EXPECT_EQ(vector<int>({2, 3, 13, 19}), this->TopSize(param));
  interp->set_shrink_factor(4);
  EXPECT_EQ(vector<int>({2, 3, 3, 5}), this->TopSize(param));
  interp->clear_zoom_factor();
  EXPECT_EQ(vector<int>({2, 3, 2, 3}), this->TopSize(param));
  interp->clear_shrink_factor();
  interp->set_height(60);
  interp->set_width(1);
  EXPECT_EQ(vector<int>({2, 3, 60, 1}), this->TopSize(param));
}

TYPED_TEST(InterpLayerTest, TestGradientOfOneBottom) {
  typedef typename TypeParam::Dtype Dtype;
  this->param_.mutable_interp_param()->set_zoom_factor(2);
  this->Fill(3, 2, 1, 1);
  this->bottom_ = {&this->x_};
  InterpLayer<Dtype> layer(this->param_);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_);
}

TYPED_TEST(InterpLayerTest, TestRefusals) {
  typedef typename TypeParam::Dtype Dtype;
  const auto set_up = [this]() {
    InterpLayer<Dtype> layer(this->param_);
    layer.SetUp(this->bottom_, this->top_);
  };
  InterpParameter* interp = this->param_.mutable_interp_param();
  this->Fill(3, 4, 5, 6);
  interp->set_zoom_factor(2);
  EXPECT_ERROR(set_up(), "'resize'.*one source of the top's size");
  this->bottom_ = {&this->x_};
  interp->set_height(2);
  EXPECT_ERROR(set_up(), "'resize'.*one source of the top's size");
  interp->clear_zoom_factor();
  EXPECT_ERROR(set_up(), "'resize'.*height is 2 and width 0");
  interp->clear_height();
  EXPECT_ERROR(set_up(), "'resize'.*one source of the top's size");
  interp->set_shrink_factor(0);
  EXPECT_ERROR(set_up(), "'resize'.*shrink_factor 0");
  interp->set_shrink_factor(2);
  interp->set_pad_end(-1);
  EXPECT_ERROR(set_up(), "'resize'.*pad_end -1");
  interp->clear_pad_end();
  this->x_.Reshape({2, 3, 4});
  EXPECT_ERROR(set_up(), "'resize'.*2 3 4 \\(24\\).*N x C x H x W");
  this->x_.Reshape({2, 3, 4, 4});
  this->top_ = this->bottom_;
  EXPECT_ERROR(set_up(), "'resize'.*in place");
}

}  // namespace caffe
