#ifdef USE_CUDNN
#include <google/protobuf/text_format.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/layers/cudnn_conv_layer.hpp"
#include "caffe/layers/cudnn_deconv_layer.hpp"
#include "caffe/util/cudnn_context.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

namespace {

typedef vector<vector<int> > Shapes;

// A variable of the environment, until it is out of scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    setenv(name, value, 1);
  }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

LayerParameter Parameter(const string& type, const string& text) {
  LayerParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(
      "name: 'branch' type: '" + type + "' convolution_param { "
      "weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' } "
      + text + " }", &param));
  return param;
}

// A layer, its mode, and its bottoms and tops.
template <typename Dtype>
class Layered {
 public:
  Layered(Caffe::Brew mode, const LayerParameter& param,
      const vector<int>& shape, int bottoms)
      : mode_(mode), x(bottoms), y(bottoms) {
    for (int i = 0; i < bottoms; ++i) {
      bottom.push_back(&x[i]);
      top.push_back(&y[i]);
      x[i].Reshape(shape);
    }
    Caffe::set_mode(mode_);
    layer = LayerRegistry<Dtype>::CreateLayer(param);
    layer->SetUp(bottom, top);
  }

  void Forward() {
    Caffe::set_mode(mode_);
    layer->Forward(bottom, top);
  }

  void Backward() {
    Caffe::set_mode(mode_);
    layer->Backward(top, vector<bool>(bottom.size(), true), bottom);
  }

 private:
  Caffe::Brew mode_;

 public:
  shared_ptr<Layer<Dtype> > layer;
  vector<Blob<Dtype> > x, y;
  vector<Blob<Dtype>*> bottom, top;
};

template <typename Dtype>
void Gaussian(int count, Dtype* values) {
  caffe_rng_gaussian<Dtype>(count, 0, 1, values);
}

}  // namespace

template <typename Dtype>
class CuDNNPassesTest : public GPUDeviceTest<Dtype> {
 protected:
  CuDNNPassesTest() : tolerance_(sizeof(Dtype) == 4 ? 1e-4 : 1e-10) {
    Caffe::set_random_seed(1701);
  }

  // Less than TF32 gets wrong.
  void ExpectNear(int count, const Dtype* expected, const Dtype* actual,
      const string& what) {
    double scale = 1;
    for (int i = 0; i < count; ++i) {
      scale = std::max(scale, std::abs(double(expected[i])));
    }
    for (int i = 0; i < count; ++i) {
      ASSERT_NEAR(expected[i], actual[i], tolerance_ * scale)
          << what << ", element " << i;
    }
  }

  // The layer on the GPU, and Caffe's own on the CPU with the same weights, for
  // each shape in turn. Gradients of blobs add to what is there; those of
  // bottoms replace it. Twice, since the first time is different.
  void ExpectLikeCaffes(const string& type, const string& text,
      const Shapes& shapes, int bottoms = 1, const string& engine = "CUDNN") {
    Layered<Dtype> cudnn(Caffe::GPU, Parameter(type, text + " engine: "
        + engine), shapes[0], bottoms);
    Layered<Dtype> caffe(Caffe::CPU, Parameter(type, text + " engine: CAFFE"),
        shapes[0], bottoms);
    for (size_t i = 0; i < cudnn.layer->blobs().size(); ++i) {
      const Blob<Dtype>& blob = *caffe.layer->blobs()[i];
      ASSERT_EQ(blob.shape(), cudnn.layer->blobs()[i]->shape());
      caffe_copy(blob.count(), blob.cpu_data(),
          cudnn.layer->blobs()[i]->mutable_cpu_data());
    }
    for (const vector<int>& shape : shapes) {
      for (int i = 0; i < bottoms; ++i) {
        caffe.x[i].Reshape(shape);
        cudnn.x[i].Reshape(shape);
        Gaussian(caffe.x[i].count(), caffe.x[i].mutable_cpu_data());
        caffe_copy(caffe.x[i].count(), caffe.x[i].cpu_data(),
            cudnn.x[i].mutable_cpu_data());
      }
      for (Layered<Dtype>* each : {&cudnn, &caffe}) {
        for (const shared_ptr<Blob<Dtype> >& blob : each->layer->blobs()) {
          caffe_set(blob->count(), Dtype(3), blob->mutable_cpu_diff());
        }
      }
      for (int round = 0; round < 2; ++round) {
        const string what = type + " " + text + ", round "
            + std::to_string(round) + ": ";
        cudnn.Forward();
        caffe.Forward();
        for (int i = 0; i < bottoms; ++i) {
          const int count = caffe.y[i].count();
          ASSERT_EQ(caffe.y[i].shape(), cudnn.y[i].shape()) << what;
          ExpectNear(count, caffe.y[i].cpu_data(), cudnn.y[i].cpu_data(),
              what + "top");
          Gaussian(count, caffe.y[i].mutable_cpu_diff());
          caffe_copy(count, caffe.y[i].cpu_diff(),
              cudnn.y[i].mutable_cpu_diff());
          caffe_set(cudnn.x[i].count(), Dtype(1234),
              cudnn.x[i].mutable_cpu_diff());
        }
        cudnn.Backward();
        caffe.Backward();
        for (int i = 0; i < bottoms; ++i) {
          ExpectNear(caffe.x[i].count(), caffe.x[i].cpu_diff(),
              cudnn.x[i].cpu_diff(), what + "gradient of bottom");
        }
        for (size_t i = 0; i < caffe.layer->blobs().size(); ++i) {
          const Blob<Dtype>& blob = *caffe.layer->blobs()[i];
          ExpectNear(blob.count(), blob.cpu_diff(),
              cudnn.layer->blobs()[i]->cpu_diff(),
              what + "gradient of blob " + std::to_string(i));
        }
      }
    }
  }

  // Shapes of C channels: the first one again in the end.
  static Shapes OfChannels(int c) {
    return {{2, c, 9, 11}, {1, c, 14, 14}, {3, c, 8, 7}, {2, c, 9, 11}};
  }

  double tolerance_;
};

TYPED_TEST_CASE(CuDNNPassesTest, TestDtypes);

TYPED_TEST(CuDNNPassesTest, TestConvolution) {
  for (const char* text : {
      "num_output: 5 kernel_size: 1", "num_output: 8 kernel_size: 3 pad: 1",
      "num_output: 8 kernel_size: 3 pad: 1 bias_term: false",
      "num_output: 7 kernel_size: 7 stride: 2 pad: 3",
      "num_output: 4 kernel_size: 1 stride: 2",
      "num_output: 4 kernel_size: 3 pad: 2 dilation: 2",
      "num_output: 4 kernel_size: 3 pad: 2 dilation: 2 stride: 2",
      "num_output: 4 kernel_h: 3 kernel_w: 2 pad_h: 2 pad_w: 0 stride_h: 2 "
      "stride_w: 1",
      "num_output: 4 kernel_size: 3 pad: 4 pad: 3 dilation: 2 dilation: 3"}) {
    this->ExpectLikeCaffes("Convolution", text, this->OfChannels(6));
  }
}

// 2 groups, the 32 of ResNeXt and SKNet, and one a channel.
TYPED_TEST(CuDNNPassesTest, TestGroups) {
  struct Case {
    int channels;
    const char* text;
  };
  for (const Case& c : {
      Case{6, "group: 2 num_output: 4"}, Case{64, "group: 32 num_output: 64"},
      Case{32, "group: 32 num_output: 64"}, Case{5, "group: 5 num_output: 5"}}) {
    for (const char* window : {
        " kernel_size: 3 pad: 1", " kernel_size: 3 pad: 2 dilation: 2",
        " kernel_size: 3 pad: 1 stride: 2",
        " kernel_size: 3 pad: 2 dilation: 2 stride: 2 bias_term: false"}) {
      this->ExpectLikeCaffes("Convolution", string(c.text) + window,
          this->OfChannels(c.channels));
    }
  }
}

TYPED_TEST(CuDNNPassesTest, TestDeconvolution) {
  for (const char* text : {
      "num_output: 4 kernel_size: 1", "num_output: 4 kernel_size: 3 pad: 1",
      "num_output: 4 kernel_size: 4 stride: 2 pad: 1",
      "num_output: 4 kernel_size: 4 stride: 2 pad: 1 bias_term: false",
      "num_output: 4 kernel_size: 3 dilation: 2 stride: 2",
      "num_output: 4 kernel_size: 3 stride: 2 group: 2",
      "num_output: 4 kernel_size: 3 dilation: 2 pad: 1 group: 2",
      "num_output: 6 kernel_size: 4 stride: 2 pad: 1 group: 6",
      "num_output: 12 kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 "
      "group: 6"}) {
    this->ExpectLikeCaffes("Deconvolution", text, this->OfChannels(6));
  }
  this->ExpectLikeCaffes("Deconvolution",
      "num_output: 64 kernel_size: 3 pad: 1 stride: 2 group: 32",
      this->OfChannels(32));
}

TYPED_TEST(CuDNNPassesTest, TestSeveralBottoms) {
  for (const char* type : {"Convolution", "Deconvolution"}) {
    this->ExpectLikeCaffes(type, "num_output: 4 kernel_size: 3 group: 2",
        this->OfChannels(6), 3);
  }
}

// With one more axis before the channels.
TYPED_TEST(CuDNNPassesTest, TestAxis) {
  for (const char* type : {"Convolution", "Deconvolution"}) {
    this->ExpectLikeCaffes(type, "num_output: 4 kernel_size: 3 axis: 2",
        {{2, 3, 6, 5, 4}, {1, 2, 6, 4, 5}});
  }
}

TYPED_TEST(CuDNNPassesTest, TestGradient) {
  Blob<TypeParam> x(2, 4, 5, 4), y;
  Gaussian(x.count(), x.mutable_cpu_data());
  const string text =
      "num_output: 4 kernel_size: 3 pad: 2 dilation: 2 group: 2";
  GradientChecker<TypeParam> checker(1e-2, 1e-3);
  CuDNNConvolutionLayer<TypeParam> convolution(Parameter("Convolution", text));
  checker.CheckGradientExhaustive(&convolution, {&x}, {&y});
  CuDNNDeconvolutionLayer<TypeParam> deconvolution(
      Parameter("Deconvolution", text));
  checker.CheckGradientExhaustive(&deconvolution, {&x}, {&y});
}

// The gradients that nobody asks for stay as they are.
TYPED_TEST(CuDNNPassesTest, TestPropagateDown) {
  const TypeParam kUntouched = 1234;
  for (const char* type : {"Convolution", "Deconvolution"}) {
    Layered<TypeParam> net(Caffe::GPU, Parameter(type,
        "num_output: 4 kernel_size: 3 engine: CUDNN"), {2, 6, 5, 5}, 1);
    Gaussian(net.x[0].count(), net.x[0].mutable_cpu_data());
    net.Forward();
    Gaussian(net.y[0].count(), net.y[0].mutable_cpu_diff());
    for (int wanted = 0; wanted < 8; ++wanted) {
      const vector<Blob<TypeParam>*> blobs = {net.layer->blobs()[0].get(),
          net.layer->blobs()[1].get(), &net.x[0]};
      for (Blob<TypeParam>* blob : blobs) {
        caffe_set(blob->count(), kUntouched, blob->mutable_cpu_diff());
      }
      net.layer->set_param_propagate_down(0, wanted & 1);
      net.layer->set_param_propagate_down(1, wanted & 2);
      net.layer->Backward(net.top, {(wanted & 4) != 0}, net.bottom);
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ((wanted >> i & 1) == 0,
                  blobs[i]->cpu_diff()[0] == kUntouched) << type << i;
      }
    }
  }
}

TYPED_TEST(CuDNNPassesTest, TestEnvironment) {
  const string text = "num_output: 16 kernel_size: 3 pad: 1 group: 2";
  const Shapes shapes = this->OfChannels(8);
  {
    const Variable none("CAFFE_CUDNN_WORKSPACE", "0");
    this->ExpectLikeCaffes("Convolution", text, shapes);
    this->ExpectLikeCaffes("Deconvolution", text, shapes);
  }
  {
    const Variable wrong("CAFFE_CUDNN_WORKSPACE", "1GB");
    Layered<TypeParam> net(Caffe::GPU, Parameter("Convolution", text),
        shapes[0], 1);
    EXPECT_ERROR(net.Forward(), "CAFFE_CUDNN_WORKSPACE is '1GB'");
  }
  {
    const Variable tried("CAFFE_CUDNN_AUTOTUNE", "1");
    this->ExpectLikeCaffes("Convolution", text, shapes);
    this->ExpectLikeCaffes("Deconvolution", text, shapes);
  }
  const Variable tensor_cores("CAFFE_TF32", "1");
  if (sizeof(TypeParam) == sizeof(float)) { this->tolerance_ = 5e-3; }
  this->ExpectLikeCaffes("Convolution", text, shapes);
  this->ExpectLikeCaffes("Deconvolution", text, shapes);
}

// The engine by default is cuDNN's in both modes, and in whichever mode the
// layer was made, it runs in both.
TYPED_TEST(CuDNNPassesTest, TestModes) {
  for (const Caffe::Brew made : {Caffe::CPU, Caffe::GPU}) {
    for (const char* type : {"Convolution", "Deconvolution"}) {
      Layered<TypeParam> net(made, Parameter(type, "num_output: 16 "
          "kernel_size: 3 pad: 2 dilation: 2"), {2, 8, 9, 9}, 1);
      EXPECT_TRUE(
          dynamic_cast<CuDNNConvolutionLayer<TypeParam>*>(net.layer.get())
          || dynamic_cast<CuDNNDeconvolutionLayer<TypeParam>*>(
              net.layer.get())) << type;
      Gaussian(net.x[0].count(), net.x[0].mutable_cpu_data());
      Blob<TypeParam> y, diff, x, blobs[2];
      for (const Caffe::Brew mode : {Caffe::CPU, Caffe::GPU, Caffe::CPU}) {
        Caffe::set_mode(mode);
        net.layer->Forward(net.bottom, net.top);
        if (diff.count() == 0) {
          diff.ReshapeLike(net.y[0]);
          Gaussian(diff.count(), diff.mutable_cpu_data());
        }
        caffe_copy(diff.count(), diff.cpu_data(),
            net.y[0].mutable_cpu_diff());
        for (const shared_ptr<Blob<TypeParam> >& blob : net.layer->blobs()) {
          caffe_set(blob->count(), TypeParam(3), blob->mutable_cpu_diff());
        }
        net.layer->Backward(net.top, {true}, net.bottom);
        if (y.count() == 0) {
          Caffe::set_mode(Caffe::CPU);
          y.CopyFrom(net.y[0], false, true);
          x.CopyFrom(net.x[0], true, true);
          for (int i = 0; i < 2; ++i) {
            blobs[i].CopyFrom(*net.layer->blobs()[i], true, true);
          }
        }
        this->ExpectNear(y.count(), y.cpu_data(), net.y[0].cpu_data(), type);
        this->ExpectNear(x.count(), x.cpu_diff(), net.x[0].cpu_diff(), type);
        for (int i = 0; i < 2; ++i) {
          this->ExpectNear(blobs[i].count(), blobs[i].cpu_diff(),
              net.layer->blobs()[i]->cpu_diff(), type);
        }
      }
    }
  }
}

// Volumes are Caffe's by default, and an error where cuDNN was asked for.
TYPED_TEST(CuDNNPassesTest, TestVolumes) {
  for (const char* type : {"Convolution", "Deconvolution"}) {
    const string text = "num_output: 4 kernel_size: 3 ";
    this->ExpectLikeCaffes(type, text, {{2, 3, 4, 5, 6}}, 1, "DEFAULT");
    EXPECT_ERROR(Layered<TypeParam>(Caffe::GPU, Parameter(type, text
        + "engine: CUDNN"), {2, 3, 4, 5, 6}, 1), "must have 2 spatial axes");
  }
}

// Each has a handle and a workspace of its own, which go with it.
TYPED_TEST(CuDNNPassesTest, TestThreads) {
  const int kThreads = 4;
  const auto run = [](int i) {
    Caffe::set_mode(Caffe::GPU);
    Caffe::set_random_seed(i);
    Layered<TypeParam> net(Caffe::GPU, Parameter("Convolution",
        "num_output: 16 kernel_size: 3 group: 4 pad: 2 dilation: 2"),
        {1 + i, 16, 20 + i, 20}, 1);
    Gaussian(net.x[0].count(), net.x[0].mutable_cpu_data());
    for (int round = 0; round < 20; ++round) {
      net.Forward();
      caffe_copy(net.y[0].count(), net.y[0].cpu_data(),
                 net.y[0].mutable_cpu_diff());
      net.Backward();
    }
    return vector<TypeParam>({net.y[0].asum_data(), net.x[0].asum_diff(),
                              net.layer->blobs()[0]->asum_diff()});
  };
  vector<vector<TypeParam> > alone(kThreads), together(kThreads);
  for (int i = 0; i < kThreads; ++i) { alone[i] = run(i); }
  vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { together[i] = run(i); });
  }
  for (std::thread& thread : threads) { thread.join(); }
  for (int i = 0; i < kThreads; ++i) {
    this->ExpectNear(3, alone[i].data(), together[i].data(), "a thread's sums");
  }
}

class CuDNNContextTest : public GPUDeviceTest<float> {};

TEST_F(CuDNNContextTest, TestReserve) {
  CuDNNContext& context = CuDNNContext::Get();
  EXPECT_EQ(&context, &CuDNNContext::Get());
  ASSERT_TRUE(context.Reserve(1 << 20));
  const size_t size = context.workspace_size();
  EXPECT_GE(size, size_t(1) << 20);
  EXPECT_TRUE(context.Reserve(1));
  EXPECT_EQ(size, context.workspace_size());
  // More than there is: as before, and no error for others to find.
  EXPECT_FALSE(context.Reserve(size_t(1) << 50));
  EXPECT_EQ(cudaSuccess, cudaPeekAtLastError());
  EXPECT_EQ(size, context.workspace_size());
  EXPECT_TRUE(context.workspace() != NULL);
}

}  // namespace caffe
#endif  // USE_CUDNN
