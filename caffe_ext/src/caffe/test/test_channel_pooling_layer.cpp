#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layers/channel_pooling_layer.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/util/rng.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

template <typename TypeParam>
class ChannelPoolingLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  ChannelPoolingLayerTest() : bottom_({&x_}), top_({&y_}) {
    Caffe::set_random_seed(1701);
  }

  static LayerParameter Parameter(PoolingParameter_PoolMethod pool) {
    LayerParameter param;
    param.set_name("pool");
    param.mutable_pooling_param()->set_pool(pool);
    return param;
  }

  // Values in [-1, 1] that all differ: for 60 of them, by more than twice the
  // gradient checker's step.
  void Fill(const vector<int>& shape) {
    x_.Reshape(shape);
    vector<int> order(x_.count());
    for (int i = 0; i < order.size(); ++i) {
      order[i] = i - x_.count() / 2;
    }
    shuffle(order.begin(), order.end());
    for (int i = 0; i < order.size(); ++i) {
      x_.mutable_cpu_data()[i] = Dtype(2) * order[i] / x_.count();
    }
  }

  // The index in x of channel c of the place of y's element i.
  int In(int i, int c) const {
    const int dim = x_.count(2);
    return (i / dim * x_.shape(1) + c) * dim + i % dim;
  }

  void FillTopDiff() {
    for (int i = 0; i < y_.count(); ++i) {
      y_.mutable_cpu_diff()[i] = Dtype(i % 7) - 3;
    }
  }

  void ExpectMax() {
    for (int i = 0; i < y_.count(); ++i) {
      int max = 0;
      for (int c = 1; c < x_.shape(1); ++c) {
        if (x_.cpu_data()[In(i, c)] > x_.cpu_data()[In(i, max)]) {
          max = c;
        }
      }
      EXPECT_EQ(x_.cpu_data()[In(i, max)], y_.cpu_data()[i]);
      for (int c = 0; c < x_.shape(1); ++c) {
        EXPECT_EQ(c == max ? y_.cpu_diff()[i] : 0, x_.cpu_diff()[In(i, c)])
            << c << " of " << i << " of " << x_.shape_string();
      }
    }
  }

  void ExpectMean() {
    const int channels = x_.shape(1);
    for (int i = 0; i < y_.count(); ++i) {
      double sum = 0;
      for (int c = 0; c < channels; ++c) {
        sum += x_.cpu_data()[In(i, c)];
        EXPECT_NEAR(y_.cpu_diff()[i] / channels, x_.cpu_diff()[In(i, c)], 1e-6);
      }
      EXPECT_NEAR(sum / channels, y_.cpu_data()[i], 1e-5) << x_.shape_string();
    }
  }

  Blob<Dtype> x_, y_;
  vector<Blob<Dtype>*> bottom_, top_;
};

TYPED_TEST_CASE(ChannelPoolingLayerTest, TestDtypesAndDevices);

// The same layer object throughout: the shape may change between calls.
TYPED_TEST(ChannelPoolingLayerTest, TestForwardBackward) {
  typedef typename TypeParam::Dtype Dtype;
  const vector<vector<int> > shapes = {{2, 3}, {2, 3, 4}, {2, 3, 4, 5},
      {2, 3, 2, 3, 2}, {1, 1, 1, 1}, {2, 1, 3, 3}, {2, 65, 17, 64}};
  for (const PoolingParameter_PoolMethod pool :
       {PoolingParameter_PoolMethod_MAX, PoolingParameter_PoolMethod_AVE}) {
    ChannelPoolingLayer<Dtype> layer(this->Parameter(pool));
    this->Fill(shapes[0]);
    layer.SetUp(this->bottom_, this->top_);
    for (const vector<int>& shape : shapes) {
      this->Fill(shape);
      layer.Forward(this->bottom_, this->top_);
      vector<int> top_shape(shape);
      top_shape[1] = 1;
      ASSERT_EQ(top_shape, this->y_.shape());
      this->FillTopDiff();
      layer.Backward(this->top_, {true}, this->bottom_);
      if (pool == PoolingParameter_PoolMethod_MAX) {
        this->ExpectMax();
      } else {
        this->ExpectMean();
      }
    }
  }
}

TYPED_TEST(ChannelPoolingLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  for (const PoolingParameter_PoolMethod pool :
       {PoolingParameter_PoolMethod_MAX, PoolingParameter_PoolMethod_AVE}) {
    ChannelPoolingLayer<Dtype> layer(this->Parameter(pool));
    this->Fill({2, 5, 2, 3});
    GradientChecker<Dtype> checker(1e-2, 1e-3);
    checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_);
  }
}

// One channel gets the whole gradient, not each, nor both a share.
TYPED_TEST(ChannelPoolingLayerTest, TestEqualMaximaGoToTheFirst) {
  typedef typename TypeParam::Dtype Dtype;
  ChannelPoolingLayer<Dtype> layer(LayerParameter{});
  this->x_.Reshape({1, 4, 1, 1});
  const Dtype x[4] = {-1, 2, 2, 0};
  std::copy(x, x + 4, this->x_.mutable_cpu_data());
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  this->y_.mutable_cpu_diff()[0] = 5;
  layer.Backward(this->top_, {true}, this->bottom_);
  for (int c = 0; c < 4; ++c) {
    EXPECT_EQ(c == 1 ? 5 : 0, this->x_.cpu_diff()[c]);
  }
}

TYPED_TEST(ChannelPoolingLayerTest, TestNaNWins) {
  typedef typename TypeParam::Dtype Dtype;
  ChannelPoolingLayer<Dtype> layer(this->Parameter(PoolingParameter::MAX));
  for (int channel = 0; channel < 3; ++channel) {
    this->Fill({1, 3, 1, 5});
    this->x_.mutable_cpu_data()[channel * 5 + 2] = NAN;
    layer.SetUp(this->bottom_, this->top_);
    layer.Forward(this->bottom_, this->top_);
    caffe_set(5, Dtype(1), this->y_.mutable_cpu_diff());
    layer.Backward(this->top_, {true}, this->bottom_);
    for (int place = 0; place < 5; ++place) {
      EXPECT_EQ(place == 2, std::isnan(this->y_.cpu_data()[place])) << channel;
    }
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(c == channel, this->x_.cpu_diff()[c * 5 + 2]) << channel;
    }
  }
}

TYPED_TEST(ChannelPoolingLayerTest, TestPropagateDown) {
  typedef typename TypeParam::Dtype Dtype;
  ChannelPoolingLayer<Dtype> layer(LayerParameter{});
  this->Fill({2, 3, 4, 5});
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  this->FillTopDiff();
  caffe_set(this->x_.count(), Dtype(1234), this->x_.mutable_cpu_diff());
  layer.Backward(this->top_, {false}, this->bottom_);
  for (int i = 0; i < this->x_.count(); ++i) {
    EXPECT_EQ(1234, this->x_.cpu_diff()[i]);
  }
}

TYPED_TEST(ChannelPoolingLayerTest, TestRefusals) {
  typedef typename TypeParam::Dtype Dtype;
  this->Fill({2, 3, 4, 5});
  ChannelPoolingLayer<Dtype> stochastic(
      this->Parameter(PoolingParameter_PoolMethod_STOCHASTIC));
  EXPECT_ERROR(stochastic.SetUp(this->bottom_, this->top_),
      "'pool': pool is STOCHASTIC, expected MAX or AVE");
  ChannelPoolingLayer<Dtype> layer(
      this->Parameter(PoolingParameter_PoolMethod_MAX));
  EXPECT_ERROR(layer.SetUp(this->bottom_, this->bottom_),
      "'pool'.*in place");
  this->x_.Reshape({6});
  EXPECT_ERROR(layer.SetUp(this->bottom_, this->top_), "'pool'.*6 \\(6\\)");
}

}  // namespace caffe
