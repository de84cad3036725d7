#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/pooling_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

template <typename TypeParam>
class GlobalPoolingTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  GlobalPoolingTest() : bottom_({&x_}), top_({&y_}) {
    Caffe::set_random_seed(1701);
    param_.mutable_pooling_param()->set_pool(PoolingParameter_PoolMethod_AVE);
    param_.mutable_pooling_param()->set_global_pooling(true);
  }

  void Fill(const vector<int>& shape) {
    x_.Reshape(shape);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(&x_);
  }

  LayerParameter param_;
  Blob<Dtype> x_, y_;
  vector<Blob<Dtype>*> bottom_, top_;
};

TYPED_TEST_CASE(GlobalPoolingTest, TestDtypesAndDevices);

// Areas below, at and above a warp, a block, and their multiples; few planes, many.
TYPED_TEST(GlobalPoolingTest, TestForward) {
  typedef typename TypeParam::Dtype Dtype;
  const vector<vector<int> > shapes = {{2, 3, 1, 1}, {2, 3, 4, 5},
      {1, 5, 4, 8}, {2, 3, 7, 7}, {3, 13, 7, 7}, {5, 2, 7, 9}, {1, 2, 16, 32},
      {1, 2, 27, 19}, {2, 2, 56, 56}, {2, 512, 33, 33}, {2, 512, 34, 34}};
  PoolingLayer<Dtype> layer(this->param_);
  this->Fill(shapes[0]);
  layer.SetUp(this->bottom_, this->top_);
  for (const vector<int>& shape : shapes) {
    this->Fill(shape);
    layer.Forward(this->bottom_, this->top_);
    ASSERT_EQ(vector<int>({shape[0], shape[1], 1, 1}), this->y_.shape());
    const int area = shape[2] * shape[3];
    for (int p = 0; p < this->y_.count(); ++p) {
      double sum = 0;
      for (int i = 0; i < area; ++i) {
        sum += this->x_.cpu_data()[p * area + i];
      }
      EXPECT_NEAR(sum / area, this->y_.cpu_data()[p], 1e-5)
          << this->x_.shape_string();
    }
  }
}

TYPED_TEST(GlobalPoolingTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  this->Fill({2, 3, 5, 4});
  PoolingLayer<Dtype> layer(this->param_);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_);
}

}  // namespace caffe
