#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/axpy_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

template <typename TypeParam>
class AxpyLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  AxpyLayerTest() : layer_(Parameter()) {
    Caffe::set_random_seed(1701);
    bottom_ = {&a_, &x_, &y_};
    top_ = {&f_};
  }

  static LayerParameter Parameter() {
    LayerParameter param;
    param.set_name("gate");
    return param;
  }

  // N x C x ... for X and Y, and as many axes of a as asked for.
  void Fill(const vector<int>& shape, const int a_axes) {
    vector<int> a_shape(shape.begin(), shape.begin() + 2);
    a_shape.resize(a_axes, 1);
    a_.Reshape(a_shape);
    x_.Reshape(shape);
    y_.Reshape(shape);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(&a_);
    filler.Fill(&x_);
    filler.Fill(&y_);
  }

  void FillTopDiff() {
    for (int i = 0; i < f_.count(); ++i) {
      f_.mutable_cpu_diff()[i] = Dtype(i % 7) - 3;
    }
  }

  void ExpectForward(const Blob<Dtype>& f, const Blob<Dtype>& y) {
    ASSERT_EQ(x_.shape(), f.shape());
    const int dim = x_.count() / a_.count();
    for (int i = 0; i < x_.count(); ++i) {
      EXPECT_NEAR(a_.cpu_data()[i / dim] * x_.cpu_data()[i] + y.cpu_data()[i],
          f.cpu_data()[i], 1e-5) << i << " of " << x_.shape_string();
    }
  }

  void ExpectBackward(const Blob<Dtype>& df) {
    const int dim = x_.count() / a_.count();
    vector<double> da(a_.count());
    for (int i = 0; i < x_.count(); ++i) {
      const Dtype diff = df.cpu_diff()[i];
      da[i / dim] += diff * x_.cpu_data()[i];
      EXPECT_NEAR(diff * a_.cpu_data()[i / dim], x_.cpu_diff()[i], 1e-5);
      EXPECT_EQ(diff, bottom_[2]->cpu_diff()[i]);
    }
    for (int i = 0; i < a_.count(); ++i) {
      EXPECT_NEAR(da[i], a_.cpu_diff()[i], 1e-4);
    }
  }

  // A GPU's planes: small ones, those of a warp, those of a block; of whole packs
  // of values and not.
  const vector<vector<int> > kSizes = {{2, 3, 4, 5}, {2, 3, 7, 7}, {2, 3, 8, 9},
      {3, 2, 17, 19}, {1, 2, 36, 36}, {1, 3, 33, 35}};

  Blob<Dtype> a_, x_, y_, f_;
  vector<Blob<Dtype>*> bottom_, top_;
  AxpyLayer<Dtype> layer_;
};

TYPED_TEST_CASE(AxpyLayerTest, TestDtypesAndDevices);

TYPED_TEST(AxpyLayerTest, TestForwardBackward) {
  vector<vector<int> > shapes = this->kSizes;
  for (const vector<int>& shape : {vector<int>{2, 3}, {2, 3, 4}, {2, 3, 2, 3, 2},
      {1, 1, 1, 1}, {3, 13, 7, 7}, {5, 2, 3, 1}}) {
    shapes.push_back(shape);
  }
  for (const vector<int>& shape : shapes) {
    for (const int a_axes : {2, 4}) {
      this->Fill(shape, a_axes);
      this->layer_.SetUp(this->bottom_, this->top_);
      this->layer_.Forward(this->bottom_, this->top_);
      this->ExpectForward(this->f_, this->y_);
      this->FillTopDiff();
      this->layer_.Backward(this->top_, {true, true, true}, this->bottom_);
      this->ExpectBackward(this->f_);
    }
  }
}

TYPED_TEST(AxpyLayerTest, TestReshapeBetweenCalls) {
  this->Fill({2, 3, 4, 5}, 2);
  this->layer_.SetUp(this->bottom_, this->top_);
  for (const int num : {2, 5, 1}) {
    this->Fill({num, 3, 4, num + 1}, 2);
    this->layer_.Forward(this->bottom_, this->top_);
    this->ExpectForward(this->f_, this->y_);
    this->FillTopDiff();
    this->layer_.Backward(this->top_, {true, true, true}, this->bottom_);
    this->ExpectBackward(this->f_);
  }
}

TYPED_TEST(AxpyLayerTest, TestInPlaceOfY) {
  typedef typename TypeParam::Dtype Dtype;
  this->top_[0] = &this->y_;
  for (const vector<int>& shape : this->kSizes) {
    this->Fill(shape, 4);
    Blob<Dtype> y_before;
    y_before.CopyFrom(this->y_, false, true);
    this->layer_.SetUp(this->bottom_, this->top_);
    this->layer_.Forward(this->bottom_, this->top_);
    this->ExpectForward(this->y_, y_before);
    Blob<Dtype> df(shape);
    for (int i = 0; i < df.count(); ++i) {
      df.mutable_cpu_diff()[i] = this->y_.mutable_cpu_diff()[i] = i % 5 - 2;
    }
    this->layer_.Backward(this->top_, {true, true, true}, this->bottom_);
    this->ExpectBackward(df);
  }
}

// Bottoms whose gradients are not wanted keep those that they have.
TYPED_TEST(AxpyLayerTest, TestPropagateDown) {
  typedef typename TypeParam::Dtype Dtype;
  const Dtype kUntouched = 1234;
  for (const vector<int>& shape : this->kSizes) {
    this->Fill(shape, 2);
    this->layer_.SetUp(this->bottom_, this->top_);
    this->layer_.Forward(this->bottom_, this->top_);
    this->FillTopDiff();
    for (int wanted = 0; wanted < 8; ++wanted) {
      vector<bool> propagate_down(3);
      for (int i = 0; i < 3; ++i) {
        propagate_down[i] = wanted >> i & 1;
        caffe_set(this->bottom_[i]->count(), kUntouched,
            this->bottom_[i]->mutable_cpu_diff());
      }
      this->layer_.Backward(this->top_, propagate_down, this->bottom_);
      for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < this->bottom_[i]->count(); ++j) {
          ASSERT_EQ(!propagate_down[i],
              this->bottom_[i]->cpu_diff()[j] == kUntouched)
              << this->x_.shape_string();
        }
      }
    }
  }
}

// As a view of a larger blob may have them: not aligned to packs of values.
TYPED_TEST(AxpyLayerTest, TestFromAnyAddress) {
  typedef typename TypeParam::Dtype Dtype;
  for (const vector<int>& shape : this->kSizes) {
    this->Fill(shape, 2);
    Blob<Dtype> memory({2 * this->x_.count() + 2}), x(shape), y(shape);
    caffe_copy(x.count(), this->x_.cpu_data(), memory.mutable_cpu_data() + 1);
    caffe_copy(y.count(), this->y_.cpu_data(),
        memory.mutable_cpu_data() + 1 + x.count());
    if (Caffe::mode() == Caffe::GPU) {
      x.set_gpu_data(memory.mutable_gpu_data() + 1);
      y.set_gpu_data(memory.mutable_gpu_data() + 1 + x.count());
    } else {
      x.set_cpu_data(memory.mutable_cpu_data() + 1);
      y.set_cpu_data(memory.mutable_cpu_data() + 1 + x.count());
    }
    this->bottom_ = {&this->a_, &x, &y};
    this->layer_.SetUp(this->bottom_, this->top_);
    this->layer_.Forward(this->bottom_, this->top_);
    this->ExpectForward(this->f_, this->y_);
    this->FillTopDiff();
    this->layer_.Backward(this->top_, {true, true, true}, this->bottom_);
    this->x_.ShareDiff(x);
    this->ExpectBackward(this->f_);
  }
}

TYPED_TEST(AxpyLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  for (const int a_axes : {2, 4}) {
    this->Fill({2, 3, 2, 3}, a_axes);
    GradientChecker<Dtype> checker(1e-2, 1e-3);
    checker.CheckGradientExhaustive(&this->layer_, this->bottom_, this->top_);
  }
  this->Fill({2, 3}, 2);
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradientExhaustive(&this->layer_, this->bottom_, this->top_);
}

TYPED_TEST(AxpyLayerTest, TestWrongShapes) {
  this->Fill({2, 3, 4, 5}, 2);
  this->a_.Reshape({2, 4});
  EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
      "'gate'.*2 4 \\(8\\).*2 3 4 5 \\(120\\)");
  this->a_.Reshape({2, 3, 4, 1});
  EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
      "'gate'.*2 3 4 1 \\(24\\).*2 3 4 5 \\(120\\)");
  this->a_.Reshape({6});
  EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
      "'gate'.*6 \\(6\\).*2 3 4 5 \\(120\\)");
  this->a_.Reshape({2, 3});
  this->y_.Reshape({2, 3, 5, 4});
  EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
      "'gate'.*2 3 4 5 \\(120\\).*2 3 5 4 \\(120\\)");
}

TYPED_TEST(AxpyLayerTest, TestInPlaceOfOthers) {
  this->Fill({2, 3}, 2);
  for (int i = 0; i < 2; ++i) {
    this->top_[0] = this->bottom_[i];
    EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
        "'gate'.*in place of a or X");
  }
}

}  // namespace caffe
