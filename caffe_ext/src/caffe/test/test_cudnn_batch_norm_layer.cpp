#include <cmath>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/cudnn_batch_norm_layer.hpp"
#include "caffe/net.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

namespace {

// The layer's formulas, element by element, in double and in two passes.
struct Reference {
  Reference(const int num, const int channels, const int dim)
      : num(num), channels(channels), dim(dim), mean(channels), var(channels) {}

  int Channel(const int i) const { return i / dim % channels; }

  template <typename Dtype>
  void Batch(const Dtype* x) {
    const double n = static_cast<double>(num) * dim;
    mean.assign(channels, 0);
    var.assign(channels, 0);
    for (int i = 0; i < num * channels * dim; ++i) {
      mean[Channel(i)] += x[i] / n;
    }
    for (int i = 0; i < num * channels * dim; ++i) {
      var[Channel(i)] += std::pow(x[i] - mean[Channel(i)], 2) / n;
    }
  }

  template <typename Dtype>
  void Use(const Blob<Dtype>& running_mean, const Blob<Dtype>& running_var) {
    mean.assign(running_mean.cpu_data(), running_mean.cpu_data() + channels);
    var.assign(running_var.cpu_data(), running_var.cpu_data() + channels);
  }

  double Normal(const int i, const double x) const {
    return (x - mean[Channel(i)]) / std::sqrt(var[Channel(i)] + 1e-5);
  }

  int num, channels, dim;
  vector<double> mean, var;
};

}  // namespace

template <typename TypeParam>
class CuDNNBatchNormLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  CuDNNBatchNormLayerTest() : bottom_({&x_}), top_({&y_}) {
    Caffe::set_random_seed(1701);
    Fill({4, 3, 2, 5});
  }

  // A layer's parameter, with `text` added to its cudnn_batch_norm_param.
  static LayerParameter Parameter(const Phase phase, const string& text = "") {
    LayerParameter param;
    CHECK(google::protobuf::TextFormat::ParseFromString(
        "name: 'bn' type: 'CuDNNBatchNorm' cudnn_batch_norm_param { "
        "momentum: 0.9 scale_filler { type: 'gaussian' mean: 1 std: 0.5 } "
        "bias_filler { type: 'gaussian' } " + text + " }", &param));
    param.set_phase(phase);
    return param;
  }

  static void FillBlob(const double mean, const double std, Blob<Dtype>* blob) {
    FillerParameter filler_param;
    filler_param.set_mean(mean);
    filler_param.set_std(std);
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(blob);
  }

  void Fill(const vector<int>& shape) {
    x_.Reshape(shape);
    FillBlob(-1, 3, &x_);
  }

  // Statistics that are neither those of a new layer nor of the data.
  static void FillStatistics(Layer<Dtype>* layer) {
    FillBlob(-2, 1, layer->blobs()[2].get());
    Blob<Dtype>* var = layer->blobs()[3].get();
    for (int i = 0; i < var->count(); ++i) {
      var->mutable_cpu_data()[i] = 0.5 + i;
    }
  }

  Reference NewReference() const {
    return Reference(x_.shape(0), x_.shape(1), x_.count(2));
  }

  static void FillTopDiff(Blob<Dtype>* y) {
    for (int i = 0; i < y->count(); ++i) {
      y->mutable_cpu_diff()[i] = std::sin(Dtype(3 * i));
    }
  }

  void ExpectForward(const Layer<Dtype>& layer, const Reference& expected,
      const Blob<Dtype>& x, const Blob<Dtype>& y, const double within = 1e-4) {
    ASSERT_EQ(x.shape(), y.shape());
    const Dtype* scale = const_cast<Layer<Dtype>&>(layer).blobs()[0]->cpu_data();
    const Dtype* bias = const_cast<Layer<Dtype>&>(layer).blobs()[1]->cpu_data();
    for (int i = 0; i < x.count(); ++i) {
      const int c = expected.Channel(i);
      ASSERT_NEAR(expected.Normal(i, x.cpu_data()[i]) * scale[c] + bias[c],
          y.cpu_data()[i], within) << i << " of " << x.shape_string();
    }
  }

  Blob<Dtype> x_, y_;
  vector<Blob<Dtype>*> bottom_, top_;
};

TYPED_TEST_CASE(CuDNNBatchNormLayerTest, TestDtypesAndDevices);

// TRAIN, over several steps: outputs and running statistics.
TYPED_TEST(CuDNNBatchNormLayerTest, TestTrain) {
  typedef typename TypeParam::Dtype Dtype;
  for (const vector<int>& shape : vector<vector<int> >({{6, 3}, {4, 3, 5},
           {4, 3, 2, 5}, {2, 3, 2, 3, 4}, {3, 70, 7, 9}})) {
    this->Fill(shape);
    CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
    layer.SetUp(this->bottom_, this->top_);
    Reference expected = this->NewReference();
    const double n = expected.num * expected.dim;
    vector<double> running_mean(shape[1]), running_var(shape[1]);
    for (int step = 0; step < 4; ++step) {
      this->Fill(shape);
      layer.Forward(this->bottom_, this->top_);
      expected.Batch(this->x_.cpu_data());
      this->ExpectForward(layer, expected, this->x_, this->y_);
      for (int c = 0; c < shape[1]; ++c) {
        running_mean[c] = 0.9 * running_mean[c] + 0.1 * expected.mean[c];
        running_var[c] = 0.9 * running_var[c]
            + 0.1 * n / (n - 1) * expected.var[c];
        EXPECT_NEAR(running_mean[c], layer.blobs()[2]->cpu_data()[c], 1e-5);
        EXPECT_NEAR(running_var[c], layer.blobs()[3]->cpu_data()[c], 1e-4);
      }
    }
  }
}

// TEST and frozen: outputs and gradients by the running statistics, which stay,
// as the weights of the moment are, not those of an earlier call.
TYPED_TEST(CuDNNBatchNormLayerTest, TestRunningStatistics) {
  typedef typename TypeParam::Dtype Dtype;
  for (const LayerParameter& param : {this->Parameter(TEST),
           this->Parameter(TRAIN, "frozen: true"),
           this->Parameter(TEST, "frozen: true")}) {
    for (const vector<int>& shape : vector<vector<int> >({{6, 3}, {4, 3, 5},
             {1, 3, 2, 5}, {2, 3, 2, 3, 4}, {3, 70, 7, 9}})) {
      this->Fill(shape);
      CuDNNBatchNormLayer<Dtype> layer(param);
      layer.SetUp(this->bottom_, this->top_);
      for (int step = 0; step < 2; ++step) {
        this->FillBlob(1, 1, layer.blobs()[0].get());
        this->FillStatistics(&layer);
        Blob<Dtype> mean, var;
        mean.CopyFrom(*layer.blobs()[2], false, true);
        var.CopyFrom(*layer.blobs()[3], false, true);
        for (int i = 0; i < 2; ++i) {
          caffe_set(shape[1], Dtype(5), layer.blobs()[i]->mutable_cpu_diff());
        }
        Reference expected = this->NewReference();
        expected.Use(mean, var);
        layer.Forward(this->bottom_, this->top_);
        this->ExpectForward(layer, expected, this->x_, this->y_);
        this->FillTopDiff(&this->y_);
        layer.Backward(this->top_, {true}, this->bottom_);
        for (int i = 0; i < this->x_.count(); ++i) {
          const int c = expected.Channel(i);
          EXPECT_NEAR(this->y_.cpu_diff()[i] * layer.blobs()[0]->cpu_data()[c]
              / std::sqrt(expected.var[c] + 1e-5), this->x_.cpu_diff()[i], 1e-5);
        }
        for (int c = 0; c < shape[1]; ++c) {
          EXPECT_EQ(mean.cpu_data()[c], layer.blobs()[2]->cpu_data()[c]);
          EXPECT_EQ(var.cpu_data()[c], layer.blobs()[3]->cpu_data()[c]);
          EXPECT_EQ(5, layer.blobs()[0]->cpu_diff()[c]);
          EXPECT_EQ(5, layer.blobs()[1]->cpu_diff()[c]);
        }
      }
    }
  }
}

TYPED_TEST(CuDNNBatchNormLayerTest, TestGradientTrain) {
  typedef typename TypeParam::Dtype Dtype;
  for (const vector<int>& shape : vector<vector<int> >({
           {5, 2}, {3, 2, 2, 3}, {2, 2, 2, 1, 3}})) {
    this->Fill(shape);
    CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
    GradientChecker<Dtype> checker(1e-2, 2e-3);
    checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_);
  }
}

// Hides a layer's parameters: the checker would ask for their gradients too,
// and where the running statistics are used, they are constants.
template <typename Dtype>
class WithoutParameters : public Layer<Dtype> {
 public:
  explicit WithoutParameters(Layer<Dtype>* layer)
      : Layer<Dtype>(layer->layer_param()), layer_(layer) {}
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top) { layer_->SetUp(bottom, top); }
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top) { layer_->Reshape(bottom, top); }

 protected:
  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom,
      const vector<Blob<Dtype>*>& top) { layer_->Forward(bottom, top); }
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top,
      const vector<bool>& propagate_down, const vector<Blob<Dtype>*>& bottom) {
    layer_->Backward(top, propagate_down, bottom);
  }
  Layer<Dtype>* layer_;
};

TYPED_TEST(CuDNNBatchNormLayerTest, TestGradientRunningStatistics) {
  typedef typename TypeParam::Dtype Dtype;
  for (const LayerParameter& param : {this->Parameter(TEST),
           this->Parameter(TRAIN, "frozen: true")}) {
    CuDNNBatchNormLayer<Dtype> layer(param);
    layer.SetUp(this->bottom_, this->top_);
    this->FillStatistics(&layer);
    // Set up again, the layer keeps its blobs.
    WithoutParameters<Dtype> hidden(&layer);
    GradientChecker<Dtype> checker(1e-2, 1e-3);
    checker.CheckGradientExhaustive(&hidden, this->bottom_, this->top_);
  }
}

TYPED_TEST(CuDNNBatchNormLayerTest, TestGradientsAccumulateAndCanBeOff) {
  typedef typename TypeParam::Dtype Dtype;
  const Dtype kBefore = 3, kUntouched = 1234;
  CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  this->FillTopDiff(&this->y_);
  Reference expected = this->NewReference();
  expected.Batch(this->x_.cpu_data());
  vector<double> dscale(3), dbias(3);
  for (int i = 0; i < this->x_.count(); ++i) {
    const double dy = this->y_.cpu_diff()[i];
    dbias[expected.Channel(i)] += dy;
    dscale[expected.Channel(i)] += dy
        * expected.Normal(i, this->x_.cpu_data()[i]);
  }
  for (int wanted = 0; wanted < 8; ++wanted) {
    for (int i = 0; i < 2; ++i) {
      caffe_set(3, kBefore, layer.blobs()[i]->mutable_cpu_diff());
      layer.set_param_propagate_down(i, wanted >> i & 1);
    }
    caffe_set(this->x_.count(), kUntouched, this->x_.mutable_cpu_diff());
    layer.Backward(this->top_, {(wanted & 4) != 0}, this->bottom_);
    EXPECT_EQ((wanted & 4) == 0, this->x_.cpu_diff()[0] == kUntouched);
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(kBefore + (wanted & 1 ? dscale[c] : 0),
          layer.blobs()[0]->cpu_diff()[c], 1e-4);
      EXPECT_NEAR(kBefore + (wanted & 2 ? dbias[c] : 0),
          layer.blobs()[1]->cpu_diff()[c], 1e-4);
    }
  }
}

// In place everything is as out of place, with Reshape at any time.
TYPED_TEST(CuDNNBatchNormLayerTest, TestInPlace) {
  typedef typename TypeParam::Dtype Dtype;
  for (const LayerParameter& param : {this->Parameter(TRAIN),
           this->Parameter(TEST), this->Parameter(TRAIN, "frozen: true")}) {
    CuDNNBatchNormLayer<Dtype> layer(param);
    layer.SetUp(this->bottom_, this->top_);
    this->FillStatistics(&layer);
    LayerParameter same;
    layer.ToProto(&same);
    CuDNNBatchNormLayer<Dtype> in_place_layer(same);
    Blob<Dtype> blob;
    const vector<Blob<Dtype>*> in_place = {&blob};
    blob.ReshapeLike(this->x_);
    in_place_layer.SetUp(in_place, in_place);
    for (const int num : {4, 7, 2}) {
      this->Fill({num, 3, 2, 5});
      blob.CopyFrom(this->x_, false, true);
      layer.Forward(this->bottom_, this->top_);
      in_place_layer.Forward(in_place, in_place);
      for (int i = 0; i < blob.count(); ++i) {
        ASSERT_NEAR(this->y_.cpu_data()[i], blob.cpu_data()[i], 1e-5);
      }
      blob.Reshape(num + 9, 3, 2, 5);
      in_place_layer.Reshape(in_place, in_place);
      blob.Reshape(num, 3, 2, 5);
      in_place_layer.Reshape(in_place, in_place);
      // As a ReLU in place would, which may come next.
      caffe_set(blob.count(), Dtype(0), blob.mutable_cpu_data());
      this->FillTopDiff(&this->y_);
      this->FillTopDiff(&blob);
      layer.Backward(this->top_, {true}, this->bottom_);
      in_place_layer.Backward(in_place, {true}, in_place);
      for (int i = 0; i < blob.count(); ++i) {
        ASSERT_NEAR(this->x_.cpu_diff()[i], blob.cpu_diff()[i], 1e-5);
      }
      for (int i = 0; i < 4; ++i) {
        for (int c = 0; c < 3; ++c) {
          EXPECT_NEAR(layer.blobs()[i]->cpu_data()[c],
              in_place_layer.blobs()[i]->cpu_data()[c], 1e-5);
          EXPECT_NEAR(layer.blobs()[i]->cpu_diff()[c],
              in_place_layer.blobs()[i]->cpu_diff()[c], 1e-5);
        }
      }
    }
  }
}

TYPED_TEST(CuDNNBatchNormLayerTest, TestReshapeBetweenCalls) {
  typedef typename TypeParam::Dtype Dtype;
  CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
  layer.SetUp(this->bottom_, this->top_);
  for (const vector<int>& shape : vector<vector<int> >({{4, 3, 2, 5},
           {9, 3, 4, 6}, {2, 3, 1, 2}, {5, 3}})) {
    this->Fill(shape);
    layer.Forward(this->bottom_, this->top_);
    Reference expected = this->NewReference();
    expected.Batch(this->x_.cpu_data());
    this->ExpectForward(layer, expected, this->x_, this->y_);
    // A constant added to a channel's input changes no output.
    this->FillTopDiff(&this->y_);
    layer.Backward(this->top_, {true}, this->bottom_);
    vector<double> sum(3);
    for (int i = 0; i < this->x_.count(); ++i) {
      sum[expected.Channel(i)] += this->x_.cpu_diff()[i];
    }
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(0, sum[c], 1e-4);
    }
  }
}

// A mean far from 0 costs no more digits than the data themselves have lost.
TYPED_TEST(CuDNNBatchNormLayerTest, TestLargeMean) {
  typedef typename TypeParam::Dtype Dtype;
  for (int i = 0; i < this->x_.count(); ++i) {
    this->x_.mutable_cpu_data()[i] += 1e6;
  }
  CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  Reference expected = this->NewReference();
  expected.Batch(this->x_.cpu_data());
  // cuDNN keeps the mean in Dtype, where it is rounded to 1/16.
  const double within = Caffe::mode() == Caffe::CPU ? 1e-5 : 0.1;
  this->ExpectForward(layer, expected, this->x_, this->y_, within);
  this->FillTopDiff(&this->y_);
  layer.Backward(this->top_, {true}, this->bottom_);
  const double n = this->x_.count() / 3;
  vector<double> dscale(3), dbias(3);
  for (int i = 0; i < this->x_.count(); ++i) {
    const double dy = this->y_.cpu_diff()[i];
    dbias[expected.Channel(i)] += dy;
    dscale[expected.Channel(i)] += dy
        * expected.Normal(i, this->x_.cpu_data()[i]);
  }
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(dscale[c], layer.blobs()[0]->cpu_diff()[c], within);
  }
  for (int i = 0; i < this->x_.count(); ++i) {
    const int c = expected.Channel(i);
    EXPECT_NEAR((this->y_.cpu_diff()[i] - dbias[c] / n
        - expected.Normal(i, this->x_.cpu_data()[i]) * dscale[c] / n)
        * layer.blobs()[0]->cpu_data()[c]
        / std::sqrt(expected.var[c] + 1e-5), this->x_.cpu_diff()[i], within);
  }
}

// One number a channel has no variance, and n / (n - 1) no value.
TYPED_TEST(CuDNNBatchNormLayerTest, TestBatchOfOne) {
  typedef typename TypeParam::Dtype Dtype;
  if (Caffe::mode() == Caffe::GPU) {
    return;  // cuDNN does not define it.
  }
  this->Fill({1, 3});
  CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(layer.blobs()[1]->cpu_data()[c], this->y_.cpu_data()[c]);
    EXPECT_NEAR(0.1 * this->x_.cpu_data()[c], layer.blobs()[2]->cpu_data()[c],
        1e-6);
    EXPECT_EQ(0, layer.blobs()[3]->cpu_data()[c]);
  }
}

TYPED_TEST(CuDNNBatchNormLayerTest, TestFillers) {
  typedef typename TypeParam::Dtype Dtype;
  for (const bool frozen : {false, true}) {
    LayerParameter param;
    param.mutable_cudnn_batch_norm_param()->set_frozen(frozen);
    CuDNNBatchNormLayer<Dtype> layer(param);
    layer.SetUp(this->bottom_, this->top_);
    const Dtype values[] = {1, 0, 0, Dtype(frozen)};
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(vector<int>({1, 3, 1, 1}), layer.blobs()[i]->shape());
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(values[i], layer.blobs()[i]->cpu_data()[c]);
      }
    }
  }
}

TYPED_TEST(CuDNNBatchNormLayerTest, TestSaveAndLoad) {
  typedef typename TypeParam::Dtype Dtype;
  CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  LayerParameter saved, read;
  layer.ToProto(&saved);
  string bytes;
  saved.SerializeToString(&bytes);
  ASSERT_TRUE(read.ParseFromString(bytes));
  read.set_phase(TEST);
  CuDNNBatchNormLayer<Dtype> loaded(read);
  loaded.SetUp(this->bottom_, this->top_);
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(layer.blobs()[i]->shape(), loaded.blobs()[i]->shape());
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(layer.blobs()[i]->cpu_data()[c],
          loaded.blobs()[i]->cpu_data()[c]);
    }
  }
  Reference expected = this->NewReference();
  expected.Use(*layer.blobs()[2], *layer.blobs()[3]);
  loaded.Forward(this->bottom_, this->top_);
  this->ExpectForward(layer, expected, this->x_, this->y_, 1e-3);
}

// lr_mult and decay_mult as Net hands them to the solver, whatever the text.
TYPED_TEST(CuDNNBatchNormLayerTest, TestSolverLeavesStatistics) {
  typedef typename TypeParam::Dtype Dtype;
  const string kParam = "param { lr_mult: 2 decay_mult: 3 } ";
  for (const bool frozen : {false, true}) {
    for (const int given : {0, 2, 4}) {
      string params;
      for (int i = 0; i < given; ++i) { params += kParam; }
      NetParameter param;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
          "layer { name: 'x' type: 'Input' top: 'x' "
          "input_param { shape { dim: 2 dim: 3 } } } "
          "layer { name: 'bn' type: 'CuDNNBatchNorm' bottom: 'x' top: 'y' " +
          params + (frozen ? "batch_norm_param { frozen: true }" : "") + "}",
          &param));
      param.mutable_state()->set_phase(TRAIN);
      Net<Dtype> net(param);
      ASSERT_EQ(4, net.params_lr().size());
      for (int i = 0; i < 4; ++i) {
        const bool fixed = frozen || i >= 2;
        EXPECT_EQ(fixed ? 0 : i < given ? 2 : 1, net.params_lr()[i]);
        EXPECT_EQ(fixed ? 0 : i < given ? 3 : 1, net.params_weight_decay()[i]);
      }
    }
  }
}

TYPED_TEST(CuDNNBatchNormLayerTest, TestErrors) {
  typedef typename TypeParam::Dtype Dtype;
  CuDNNBatchNormLayer<Dtype> layer(this->Parameter(TRAIN));
  layer.SetUp(this->bottom_, this->top_);
  EXPECT_ERROR(layer.Backward(this->top_, {true}, this->bottom_),
      "'bn'.*needs a Forward");
  layer.Forward(this->bottom_, this->top_);
  this->x_.Reshape(5, 3, 2, 5);
  EXPECT_ERROR(layer.Backward(this->top_, {true}, this->bottom_),
      "'bn': Backward for 5 3 2 5 \\(150\\)");
  this->x_.Reshape(4, 2, 2, 5);
  EXPECT_ERROR(layer.Forward(this->bottom_, this->top_),
      "'bn'.*4 2 2 5 \\(80\\), expected N x 3");
  this->x_.Reshape({4});
  CuDNNBatchNormLayer<Dtype> flat(this->Parameter(TRAIN));
  EXPECT_ERROR(flat.SetUp(this->bottom_, this->top_), "'bn'.*4 \\(4\\)");
  this->x_.Reshape({4, 3});
  LayerParameter param = this->Parameter(TRAIN);
  param.mutable_cudnn_batch_norm_param()->set_momentum(95);
  CuDNNBatchNormLayer<Dtype> percent(param);
  EXPECT_ERROR(percent.SetUp(this->bottom_, this->top_), "'bn'.*momentum.*95");
  param.clear_cudnn_batch_norm_param();
  param.mutable_batch_norm_param()->set_use_global_stats(true);
  CuDNNBatchNormLayer<Dtype> other(param);
  EXPECT_ERROR(other.SetUp(this->bottom_, this->top_),
      "'bn'.*use_global_stats.*frozen");
  param.clear_batch_norm_param();
  for (int i = 0; i < 4; ++i) {
    Blob<Dtype>(1, 4, 1, 1).ToProto(param.add_blobs());
  }
  CuDNNBatchNormLayer<Dtype> loaded(param);
  EXPECT_ERROR(loaded.SetUp(this->bottom_, this->top_),
      "'bn': blob 0 is 1 4 1 1 \\(4\\), expected 1 3 1 1 \\(3\\)");
}

}  // namespace caffe
