#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "caffe/layers/depthwise_conv_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

template <typename TypeParam>
class DepthwiseConvolutionLayerTest : public MultiDeviceTest<TypeParam> {
  typedef typename TypeParam::Dtype Dtype;

 protected:
  DepthwiseConvolutionLayerTest() : bottom_({&x_}), top_({&y_}) {
    Caffe::set_random_seed(1701);
    Fill({2, 3, 8, 9}, &x_);
  }

  // A layer's parameter, with `text` added to its convolution_param.
  static LayerParameter Parameter(const string& text) {
    LayerParameter param;
    CHECK(google::protobuf::TextFormat::ParseFromString(
        "name: 'gather' type: 'DepthwiseConvolution' convolution_param { "
        "group: 3 weight_filler { type: 'gaussian' } "
        "bias_filler { type: 'gaussian' } " + text + " }", &param));
    return param;
  }

  static void Fill(const vector<int>& shape, Blob<Dtype>* blob) {
    blob->Reshape(shape);
    FillerParameter filler_param;
    GaussianFiller<Dtype> filler(filler_param);
    filler.Fill(blob);
  }

  static void ExpectNear(const int count, const Dtype* expected,
      const Dtype* actual, const string& what) {
    for (int i = 0; i < count; ++i) {
      ASSERT_NEAR(expected[i], actual[i], 1e-4) << what << ", element " << i;
    }
  }

  // Forward, and Backward with parameter gradients added to what is there, as
  // a ConvolutionLayer with the same weights does it.
  void ExpectLikeConvolution(const string& text) {
    const LayerParameter param = Parameter(text);
    DepthwiseConvolutionLayer<Dtype> layer(param);
    layer.SetUp(bottom_, top_);
    // By way of the file format: weights exchange.
    LayerParameter saved;
    layer.ToProto(&saved);
    ConvolutionLayer<Dtype> convolution(saved);
    Blob<Dtype> x, y;
    x.CopyFrom(x_, false, true);
    const vector<Blob<Dtype>*> bottom = {&x}, top = {&y};
    convolution.SetUp(bottom, top);
    layer.Forward(bottom_, top_);
    convolution.Forward(bottom, top);
    ASSERT_EQ(y.shape(), y_.shape()) << text;
    ExpectNear(y.count(), y.cpu_data(), y_.cpu_data(), text + ": output");

    Blob<Dtype> diff;
    Fill(y.shape(), &diff);
    caffe_copy(y.count(), diff.cpu_data(), y.mutable_cpu_diff());
    caffe_copy(y.count(), diff.cpu_data(), y_.mutable_cpu_diff());
    for (size_t i = 0; i < layer.blobs().size(); ++i) {
      const int count = layer.blobs()[i]->count();
      caffe_set(count, Dtype(3), layer.blobs()[i]->mutable_cpu_diff());
      caffe_set(count, Dtype(3), convolution.blobs()[i]->mutable_cpu_diff());
    }
    layer.Backward(top_, {true}, bottom_);
    convolution.Backward(top, {true}, bottom);
    ExpectNear(x.count(), x.cpu_diff(), x_.cpu_diff(), text + ": input");
    ASSERT_EQ(convolution.blobs().size(), layer.blobs().size());
    for (size_t i = 0; i < layer.blobs().size(); ++i) {
      ExpectNear(layer.blobs()[i]->count(), convolution.blobs()[i]->cpu_diff(),
          layer.blobs()[i]->cpu_diff(), text + ": blob");
    }
  }

  Blob<Dtype> x_, y_;
  vector<Blob<Dtype>*> bottom_, top_;
};

TYPED_TEST_CASE(DepthwiseConvolutionLayerTest, TestDtypesAndDevices);

TYPED_TEST(DepthwiseConvolutionLayerTest, TestLikeConvolution) {
  const vector<string> kernels = {
      "kernel_size: 1", "kernel_size: 3", "kernel_size: 3 pad: 1",
      "kernel_size: 3 pad: 1 stride: 2", "kernel_size: 3 pad: 2 dilation: 2",
      "kernel_size: 3 pad: 5 stride: 3 dilation: 2",
      "kernel_h: 2 kernel_w: 5 pad_h: 0 pad_w: 3 stride_h: 3 stride_w: 2",
      "kernel_h: 5 kernel_w: 1 pad_h: 4 pad_w: 2",
      // GENet's gather: the kernel is the whole plane; and nearly so.
      "kernel_h: 8 kernel_w: 9", "kernel_h: 8 kernel_w: 8",
      "kernel_size: 7 pad: 3 stride: 4",
      // Wider than the output, in steps of the dilation.
      "kernel_size: 4 dilation: 2", "kernel_size: 5 pad: 4 dilation: 3",
      // Padding beyond the kernel: outputs that see nothing of the input.
      "kernel_size: 2 pad: 3", "kernel_size: 12 pad: 2"};
  for (const string& kernel : kernels) {
    for (const char* rest : {"num_output: 3", "num_output: 6",
                               "num_output: 3 bias_term: false"}) {
      this->ExpectLikeConvolution(kernel + " " + rest);
    }
  }
}

TYPED_TEST(DepthwiseConvolutionLayerTest, TestSeveralBottoms) {
  typedef typename TypeParam::Dtype Dtype;
  const string text = "num_output: 3 kernel_size: 3";
  Blob<Dtype> x2, y2;
  this->Fill({1, 3, 4, 4}, &this->x_);
  this->Fill({1, 3, 4, 4}, &x2);
  this->bottom_.push_back(&x2);
  this->top_.push_back(&y2);
  DepthwiseConvolutionLayer<Dtype> layer(this->Parameter(text));
  GradientChecker<Dtype> checker(1e-2, 1e-3);
  checker.CheckGradient(&layer, this->bottom_, this->top_);
}

TYPED_TEST(DepthwiseConvolutionLayerTest, TestReshapeBetweenCalls) {
  typedef typename TypeParam::Dtype Dtype;
  DepthwiseConvolutionLayer<Dtype> layer(
      this->Parameter("num_output: 3 kernel_size: 3 pad: 1"));
  layer.SetUp(this->bottom_, this->top_);
  ConvolutionLayer<Dtype> convolution(
      this->Parameter("num_output: 3 kernel_size: 3 pad: 1"));
  Blob<Dtype> y;
  const vector<Blob<Dtype>*> top = {&y};
  convolution.SetUp(this->bottom_, top);
  for (int i = 0; i < 2; ++i) {
    convolution.blobs()[i]->CopyFrom(*layer.blobs()[i]);
  }
  for (const vector<int>& shape : vector<vector<int> >({
           {1, 3, 8, 9}, {4, 3, 5, 3}, {2, 3, 12, 1}})) {
    this->Fill(shape, &this->x_);
    layer.Forward(this->bottom_, this->top_);
    convolution.Forward(this->bottom_, top);
    ASSERT_EQ(y.shape(), this->y_.shape());
    this->ExpectNear(y.count(), y.cpu_data(), this->y_.cpu_data(), "output");
  }
}

TYPED_TEST(DepthwiseConvolutionLayerTest, TestPropagateDown) {
  typedef typename TypeParam::Dtype Dtype;
  const Dtype kUntouched = 1234;
  DepthwiseConvolutionLayer<Dtype> layer(
      this->Parameter("num_output: 3 kernel_size: 3"));
  layer.SetUp(this->bottom_, this->top_);
  layer.Forward(this->bottom_, this->top_);
  caffe_set(this->y_.count(), Dtype(1), this->y_.mutable_cpu_diff());
  for (int wanted = 0; wanted < 8; ++wanted) {
    const vector<Blob<Dtype>*> blobs = {
        layer.blobs()[0].get(), layer.blobs()[1].get(), &this->x_};
    for (Blob<Dtype>* blob : blobs) {
      caffe_set(blob->count(), kUntouched, blob->mutable_cpu_diff());
    }
    layer.set_param_propagate_down(0, wanted & 1);
    layer.set_param_propagate_down(1, wanted & 2);
    layer.Backward(this->top_, {(wanted & 4) != 0}, this->bottom_);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ((wanted >> i & 1) == 0, blobs[i]->cpu_diff()[0] == kUntouched);
    }
  }
}

TYPED_TEST(DepthwiseConvolutionLayerTest, TestGradient) {
  typedef typename TypeParam::Dtype Dtype;
  this->Fill({2, 3, 4, 5}, &this->x_);
  for (const char* text : {
           "num_output: 3 kernel_size: 3 pad: 1 stride: 2",
           "num_output: 6 kernel_size: 2 dilation: 2",
           "num_output: 3 kernel_h: 4 kernel_w: 5"}) {
    DepthwiseConvolutionLayer<Dtype> layer(this->Parameter(text));
    GradientChecker<Dtype> checker(1e-2, 1e-3);
    checker.CheckGradientExhaustive(&layer, this->bottom_, this->top_);
  }
}

TYPED_TEST(DepthwiseConvolutionLayerTest, TestWrongSetUp) {
  typedef typename TypeParam::Dtype Dtype;
  LayerParameter param = this->Parameter("num_output: 3 kernel_size: 3");
  param.mutable_convolution_param()->set_group(1);
  DepthwiseConvolutionLayer<Dtype> dense(param);
  EXPECT_ERROR(dense.SetUp(this->bottom_, this->top_),
      "'gather'.*group is 1, expected .* 3");
  this->x_.Reshape({2, 3, 8});
  DepthwiseConvolutionLayer<Dtype> layer(
      this->Parameter("num_output: 3 kernel_size: 3"));
  EXPECT_ERROR(layer.SetUp(this->bottom_, this->top_),
      "'gather'.*2 3 8 \\(48\\).*N x C x H x W");
}

}  // namespace caffe
