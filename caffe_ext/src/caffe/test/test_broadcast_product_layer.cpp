#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/broadcast_product_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

template <typename TypeParam>
class BroadcastProductLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  BroadcastProductLayerTest() : layer_(Parameter()) {
    Caffe::set_random_seed(1701);
    bottom_ = {&a_, &b_};
    top_ = {&c_};
  }

  static LayerParameter Parameter() {
    LayerParameter param;
    param.set_name("gate");
    return param;
  }

  void Fill(const vector<int>& a, const vector<int>& b) {
    a_.Reshape(a);
    b_.Reshape(b);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(&a_);
    filler.Fill(&b_);
  }

  void FillTopDiff() {
    for (int i = 0; i < c_.count(); ++i) {
      c_.mutable_cpu_diff()[i] = Dtype(i % 7) - 3;
    }
  }

  // Where element i of the top comes from in a bottom: axis by axis, an axis
  // of size 1 being left out.
  int From(int i, const Blob<Dtype>& bottom) const {
    int from = 0, step = 1;
    for (int axis = c_.num_axes() - 1; axis >= 0; --axis) {
      from += bottom.shape(axis) == 1 ? 0 : i % c_.shape(axis) * step;
      step *= bottom.shape(axis);
      i /= c_.shape(axis);
    }
    return from;
  }

  void ExpectForwardBackward() {
    vector<double> da(a_.count()), db(b_.count());
    for (int i = 0; i < c_.count(); ++i) {
      const Dtype a = a_.cpu_data()[From(i, a_)];
      const Dtype b = b_.cpu_data()[From(i, b_)];
      EXPECT_NEAR(a * b, c_.cpu_data()[i], 1e-5);
      da[From(i, a_)] += c_.cpu_diff()[i] * b;
      db[From(i, b_)] += c_.cpu_diff()[i] * a;
    }
    for (int i = 0; i < a_.count(); ++i) {
      EXPECT_NEAR(da[i], a_.cpu_diff()[i], 1e-3);
    }
    for (int i = 0; i < b_.count(); ++i) {
      EXPECT_NEAR(db[i], b_.cpu_diff()[i], 1e-3);
    }
  }

  Blob<Dtype> a_, b_, c_;
  vector<Blob<Dtype>*> bottom_, top_;
  BroadcastProductLayer<Dtype> layer_;
};

TYPED_TEST_CASE(BroadcastProductLayerTest, TestDtypesAndDevices);

// Two shapes, and the larger size of each axis.
typedef vector<vector<int> > Shapes;

// The same layer object throughout: the shapes may change between calls.
TYPED_TEST(BroadcastProductLayerTest, TestForwardBackward) {
  const vector<Shapes> cases = {
      {{2, 3, 4, 5}, {2, 3, 4, 5}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {2, 1, 4, 5}, {2, 3, 4, 5}},  // a gate of places
      {{2, 3, 4, 5}, {2, 3, 1, 1}, {2, 3, 4, 5}},  // a gate of channels
      {{2, 3, 1, 1}, {2, 1, 4, 5}, {2, 3, 4, 5}},  // both joined
      {{2, 3, 4, 5}, {1, 1, 1, 5}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {2, 1, 1, 1}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {1, 3, 1, 5}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {1, 1, 1, 1}, {2, 3, 4, 5}},
      {{2, 1, 3, 1, 4}, {1, 5, 1, 2, 1}, {2, 5, 3, 2, 4}},
      {{2, 1, 3, 1, 4}, {1, 5, 3, 2, 1}, {2, 5, 3, 2, 4}},
      {{1, 1}, {1, 1}, {1, 1}}, {{1}, {3}, {3}}, {{}, {}, {}},
      {{2, 5, 30, 40}, {2, 1, 30, 40}, {2, 5, 30, 40}},  // rows in parts
      {{2, 5, 30, 40}, {2, 5, 1, 1}, {2, 5, 30, 40}},
      {{3, 65, 17, 19}, {3, 1, 17, 19}, {3, 65, 17, 19}}};  // threads
  this->Fill({1}, {1});
  this->layer_.SetUp(this->bottom_, this->top_);
  for (Shapes shapes : cases) {
    for (int order = 0; order < 2; ++order) {
      this->Fill(shapes[order], shapes[1 - order]);
      this->layer_.Forward(this->bottom_, this->top_);
      ASSERT_EQ(shapes[2], this->c_.shape());
      this->FillTopDiff();
      this->layer_.Backward(this->top_, {true, true}, this->bottom_);
      SCOPED_TRACE(this->a_.shape_string() + "by " + this->b_.shape_string());
      this->ExpectForwardBackward();
    }
  }
}

TYPED_TEST(BroadcastProductLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  const vector<Shapes> cases = {
      {{2, 3, 2, 2}, {2, 1, 2, 2}}, {{2, 3, 2, 2}, {2, 3, 1, 1}},
      {{2, 3, 1, 1}, {2, 1, 2, 2}}, {{2, 3}, {2, 3}},
      {{2, 1, 2, 1}, {1, 3, 2, 2}}};
  for (const Shapes& shapes : cases) {
    this->Fill(shapes[0], shapes[1]);
    GradientChecker<Dtype> checker(1e-2, 1e-3);
    checker.CheckGradientExhaustive(&this->layer_, this->bottom_, this->top_);
  }
}

TYPED_TEST(BroadcastProductLayerTest, TestPropagateDown) {
  typedef typename TypeParam::Dtype Dtype;
  this->Fill({2, 3, 4, 5}, {2, 1, 4, 5});
  this->layer_.SetUp(this->bottom_, this->top_);
  this->layer_.Forward(this->bottom_, this->top_);
  this->FillTopDiff();
  for (int wanted = 0; wanted < 4; ++wanted) {
    const Dtype kUntouched = 1234;
    vector<bool> propagate_down(2);
    for (int i = 0; i < 2; ++i) {
      propagate_down[i] = wanted >> i & 1;
      caffe_set(this->bottom_[i]->count(), kUntouched,
          this->bottom_[i]->mutable_cpu_diff());
    }
    this->layer_.Backward(this->top_, propagate_down, this->bottom_);
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < this->bottom_[i]->count(); ++j) {
        EXPECT_EQ(!propagate_down[i],
            this->bottom_[i]->cpu_diff()[j] == kUntouched);
      }
    }
  }
}

TYPED_TEST(BroadcastProductLayerTest, TestRefusals) {
  this->Fill({2, 3, 4, 5}, {2, 3, 4});
  EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
      "'gate'.*2 3 4 5 \\(120\\).*2 3 4 \\(24\\)");
  this->Fill({2, 3, 4, 5}, {2, 3, 2, 5});
  EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
      "'gate'.*2 3 4 5 \\(120\\).*2 3 2 5 \\(60\\)");
  this->Fill({2, 3, 4, 5}, {2, 3, 4, 5});
  for (int i = 0; i < 2; ++i) {
    this->top_[0] = this->bottom_[i];
    EXPECT_ERROR(this->layer_.SetUp(this->bottom_, this->top_),
        "'gate'.*in place.*both bottoms");
  }
}

}  // namespace caffe
