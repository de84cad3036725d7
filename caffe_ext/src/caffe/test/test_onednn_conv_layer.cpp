#include <google/protobuf/text_format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/filler.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/layers/onednn_conv_layer.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_gradient_check_util.hpp"

namespace caffe {

namespace {

LayerParameter Parameter(const string& text) {
  LayerParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(
      "name: 'gather' type: 'Convolution' convolution_param { "
      "weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' } "
      + text + " }", &param));
  return param;
}

template <typename Dtype>
string ErrorOfMaking(const string& text) {
  try {
    LayerRegistry<Dtype>::CreateLayer(Parameter(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

#ifndef USE_ONEDNN

TEST(OneDNNConvolutionLayerTest, TestNotBuilt) {
  EXPECT_NE(string::npos, ErrorOfMaking<float>(
      "num_output: 4 kernel_size: 3 engine: ONEDNN").find("has no oneDNN"));
}

#else

namespace {

// A layer with N bottoms and tops of its own.
class Layers {
 public:
  Layers(const shared_ptr<Layer<float> >& layer,
      const vector<vector<int> >& shapes)
      : layer(layer), x(shapes.size()), y(shapes.size()) {
    for (size_t i = 0; i < shapes.size(); ++i) {
      bottom.push_back(&x[i]);
      top.push_back(&y[i]);
    }
    Fill(shapes);
    layer->SetUp(bottom, top);
  }

  void Fill(const vector<vector<int> >& shapes) {
    for (size_t i = 0; i < shapes.size(); ++i) {
      x[i].Reshape(shapes[i]);
      Gaussian(x[i].count(), x[i].mutable_cpu_data());
    }
  }

  static void Gaussian(int count, float* values) {
    caffe_rng_gaussian<float>(count, 0, 1, values);
  }

  void Backward(const vector<bool>& propagate_down) {
    layer->Backward(top, propagate_down, bottom);
  }

  shared_ptr<Layer<float> > layer;
  vector<Blob<float> > x, y;
  vector<Blob<float>*> bottom, top;
};

void ExpectNear(const Blob<float>& a, const Blob<float>& b, bool diff,
    const string& what) {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  const float* expected = diff ? a.cpu_diff() : a.cpu_data();
  const float* actual = diff ? b.cpu_diff() : b.cpu_data();
  for (int i = 0; i < a.count(); ++i) {
    ASSERT_NEAR(expected[i], actual[i], 1e-4 + 1e-5 * std::abs(expected[i]))
        << what << ", element " << i;
  }
}

// The same layer by oneDNN and by Caffe's own code, on the same inputs.
class Pair {
 public:
  Pair(const string& text, const vector<vector<int> >& shapes)
      : text_(text),
        layers(LayerRegistry<float>::CreateLayer(Parameter(
            text + " engine: ONEDNN")), shapes),
        caffe(LayerRegistry<float>::CreateLayer(Parameter(
            text + " engine: CAFFE")), shapes) {
    for (size_t i = 0; i < layers.layer->blobs().size(); ++i) {
      caffe.layer->blobs()[i]->CopyFrom(*layers.layer->blobs()[i]);
    }
  }

  // Forward, and Backward that adds to the parameters' gradients.
  void ExpectEqual() {
    for (size_t i = 0; i < layers.x.size(); ++i) {
      caffe.x[i].CopyFrom(layers.x[i], false, true);
    }
    layers.layer->Forward(layers.bottom, layers.top);
    caffe.layer->Forward(caffe.bottom, caffe.top);
    for (size_t i = 0; i < layers.y.size(); ++i) {
      ExpectNear(caffe.y[i], layers.y[i], false, text_ + ": output");
      const int count = layers.y[i].count();
      Layers::Gaussian(count, layers.y[i].mutable_cpu_diff());
      caffe_copy(count, layers.y[i].cpu_diff(), caffe.y[i].mutable_cpu_diff());
    }
    for (Layers* both : {&layers, &caffe}) {
      for (const shared_ptr<Blob<float> >& blob : both->layer->blobs()) {
        caffe_set(blob->count(), 3.f, blob->mutable_cpu_diff());
      }
      both->Backward(vector<bool>(both->x.size(), true));
    }
    for (size_t i = 0; i < layers.x.size(); ++i) {
      ExpectNear(caffe.x[i], layers.x[i], true, text_ + ": input's gradient");
    }
    for (size_t i = 0; i < layers.layer->blobs().size(); ++i) {
      ExpectNear(*caffe.layer->blobs()[i], *layers.layer->blobs()[i], true,
          text_ + ": a blob's gradient");
    }
  }

 private:
  const string text_;

 public:
  Layers layers, caffe;
};

}  // namespace

class OneDNNConvolutionLayerTest : public CPUDeviceTest<float> {
 protected:
  OneDNNConvolutionLayerTest() { Caffe::set_random_seed(1701); }
};

TEST_F(OneDNNConvolutionLayerTest, TestLikeCaffes) {
  struct Case {
    const char* text;
    vector<int> shape;
  };
  for (const Case& c : vector<Case>({
      {"num_output: 8 kernel_size: 3 pad: 1", {2, 8, 9, 11}},
      {"num_output: 16 kernel_size: 7 stride: 2 pad: 3", {2, 3, 17, 17}},
      {"num_output: 5 kernel_size: 1 bias_term: false", {3, 7, 5, 6}},
      {"num_output: 32 kernel_size: 1 stride: 2", {2, 16, 7, 8}},
      {"num_output: 6 kernel_h: 3 kernel_w: 2 pad_h: 2 pad_w: 0 stride_h: 2 "
       "stride_w: 1", {2, 4, 9, 8}},
      // groups: of one channel, too few to be merged, merged by 2 and 4, wide
      {"num_output: 12 kernel_size: 3 group: 12", {2, 12, 8, 8}},
      {"num_output: 9 kernel_size: 3 group: 3", {2, 6, 8, 8}},
      {"num_output: 32 kernel_size: 3 group: 8", {2, 32, 8, 8}},
      {"num_output: 32 kernel_size: 3 group: 4", {2, 16, 8, 8}},
      {"num_output: 16 kernel_size: 3 group: 8 bias_term: false", {2, 16, 6, 6}},
      {"num_output: 32 kernel_size: 3 group: 2", {2, 32, 8, 8}},
      // dilation: with stride 1, and as far apart as the stride
      {"num_output: 16 kernel_size: 3 pad: 2 dilation: 2", {2, 16, 8, 10}},
      {"num_output: 16 kernel_size: 3 pad: 2 dilation: 2", {2, 16, 7, 9}},
      {"num_output: 16 kernel_size: 3 pad: 2 dilation: 2 stride: 2",
       {2, 16, 7, 10}},
      {"num_output: 16 kernel_size: 3 pad: 3 dilation: 3", {2, 16, 2, 4}},
      {"num_output: 16 kernel_size: 3 dilation: 2 pad: 4 group: 4",
       {2, 16, 9, 8}},
      {"num_output: 8 kernel_size: 3 pad: 4 pad: 3 dilation: 2 dilation: 3",
       {2, 8, 9, 10}},
      // and neither
      {"num_output: 8 kernel_size: 3 pad: 1 dilation: 2", {2, 8, 9, 9}},
      {"num_output: 8 kernel_size: 3 pad: 2 dilation: 2 stride: 3",
       {2, 8, 9, 9}},
      {"num_output: 8 kernel_size: 3 pad: 2 dilation: 2 stride: 1 stride: 2",
       {2, 8, 9, 9}},
      // planes of images with one more axis before the channels
      {"num_output: 8 kernel_size: 3 axis: 2", {2, 3, 8, 6, 6}},
      // all padding
      {"num_output: 8 kernel_size: 3 pad: 4", {2, 8, 5, 5}}})) {
    Pair(c.text, {c.shape}).ExpectEqual();
  }
}

TEST_F(OneDNNConvolutionLayerTest, TestSeveralBottoms) {
  const vector<int> shape = {2, 8, 6, 6};
  Pair("num_output: 16 kernel_size: 3 pad: 2 dilation: 2 group: 2",
       {shape, shape, shape}).ExpectEqual();
}

TEST_F(OneDNNConvolutionLayerTest, TestGradient) {
  Blob<float> x(2, 8, 5, 5), y;
  Layers::Gaussian(x.count(), x.mutable_cpu_data());
  const vector<Blob<float>*> bottom = {&x}, top = {&y};
  OneDNNConvolutionLayer layer(Parameter(
      "num_output: 8 kernel_size: 3 pad: 2 dilation: 2 group: 4"));
  GradientChecker<float> checker(1e-2, 1e-2);
  checker.CheckGradientExhaustive(&layer, bottom, top);
}

// Other images between the passes, and the first ones again.
TEST_F(OneDNNConvolutionLayerTest, TestReshape) {
  Pair pair("num_output: 8 kernel_size: 3 pad: 2 dilation: 2 group: 2",
            {{2, 8, 6, 6}});
  for (const vector<int>& shape : vector<vector<int> >({
      {2, 8, 6, 6}, {5, 8, 13, 7}, {1, 8, 3, 3}, {2, 8, 6, 6}})) {
    pair.layers.Fill({shape});
    pair.ExpectEqual();
  }
}

// The gradients that nobody asks for stay as they are.
TEST_F(OneDNNConvolutionLayerTest, TestPropagateDown) {
  Pair pair("num_output: 8 kernel_size: 3", {{2, 8, 6, 6}});
  pair.ExpectEqual();
  Layers& layers = pair.layers;
  Blob<float>& weights = *layers.layer->blobs()[0];
  Blob<float>& bias = *layers.layer->blobs()[1];
  const auto backward = [&](bool to_weights, bool to_bias, bool down) {
    layers.layer->set_param_propagate_down(0, to_weights);
    layers.layer->set_param_propagate_down(1, to_bias);
    for (Blob<float>* blob : {&weights, &bias, &layers.x[0]}) {
      caffe_set(blob->count(), 0.f, blob->mutable_cpu_diff());
    }
    layers.Backward({down});
    return vector<bool>({weights.asum_diff() > 0, bias.asum_diff() > 0,
                         layers.x[0].asum_diff() > 0});
  };
  for (int i = 0; i < 8; ++i) {
    const vector<bool> wanted = {(i & 1) > 0, (i & 2) > 0, (i & 4) > 0};
    EXPECT_EQ(wanted, backward(wanted[0], wanted[1], wanted[2])) << i;
  }
}

// Threads of other layers, whose workspaces are larger or smaller, do not meet.
TEST_F(OneDNNConvolutionLayerTest, TestThreads) {
  const int kThreads = 4;
  const auto run = [](int i) {
    Caffe::set_random_seed(i);
    Layers layers(LayerRegistry<float>::CreateLayer(Parameter(
        "num_output: 16 kernel_size: 3 group: 4 pad: 2 dilation: 2")),
        {{1 + i, 16, 20 + i, 20}});
    vector<double> sums;
    // In one order: BLAS adds in another where memory begins elsewhere.
    const auto add = [&](const float* values, int count) {
      sums.push_back(std::accumulate(values, values + count, 0.));
    };
    for (int round = 0; round < 20; ++round) {
      layers.layer->Forward(layers.bottom, layers.top);
      caffe_copy(layers.y[0].count(), layers.y[0].cpu_data(),
                 layers.y[0].mutable_cpu_diff());
      layers.Backward({true});
      const Blob<float>& weights = *layers.layer->blobs()[0];
      add(layers.y[0].cpu_data(), layers.y[0].count());
      add(layers.x[0].cpu_diff(), layers.x[0].count());
      add(weights.cpu_diff(), weights.count());
    }
    return sums;
  };
  vector<vector<double> > alone(kThreads), together(kThreads);
  for (int i = 0; i < kThreads; ++i) { alone[i] = run(i); }
  vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { together[i] = run(i); });
  }
  for (std::thread& thread : threads) { thread.join(); }
  EXPECT_EQ(alone, together);
}

// As Python's multiprocessing does.
TEST_F(OneDNNConvolutionLayerTest, TestFork) {
  Pair pair("num_output: 64 kernel_size: 3", {{2, 32, 12, 12}});
  pair.ExpectEqual();
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    pair.ExpectEqual();
    _exit(::testing::Test::HasFailure());
  }
  int status;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

TEST_F(OneDNNConvolutionLayerTest, TestEngine) {
  const string text = "num_output: 4 kernel_size: 3 ";
  const auto is_onednn = [](const string& text) {
    return dynamic_cast<OneDNNConvolutionLayer*>(
        LayerRegistry<float>::CreateLayer(Parameter(text)).get()) != NULL;
  };
#ifndef USE_CUDNN  // whose layer has it within
  EXPECT_TRUE(is_onednn(text));
#endif
  EXPECT_TRUE(is_onednn(text + "engine: ONEDNN"));
  EXPECT_FALSE(is_onednn(text + "engine: CAFFE"));
  EXPECT_EQ("", ErrorOfMaking<double>(text));
  EXPECT_NE(string::npos, ErrorOfMaking<double>(text + "engine: ONEDNN").find(
      "Convolution layer 'gather': no engine ONEDNN: it computes in single "
      "precision only"));
}

// Volumes are Caffe's by default, and no engine's that was asked for.
TEST_F(OneDNNConvolutionLayerTest, TestVolumes) {
  const vector<vector<int> > shapes = {{2, 3, 4, 5, 6}};
  const string text = "num_output: 4 kernel_size: 3 ";
  Layers layers(LayerRegistry<float>::CreateLayer(Parameter(text)), shapes);
  layers.layer->Forward(layers.bottom, layers.top);
  EXPECT_EQ(vector<int>({2, 4, 2, 3, 4}), layers.y[0].shape());
  EXPECT_GT(layers.y[0].asum_data(), 0);
  EXPECT_ERROR(Layers(LayerRegistry<float>::CreateLayer(Parameter(
      text + "engine: ONEDNN")), shapes),
      "'gather': engine ONEDNN has no kernel for bottom.0., which is 2 3 4 5 6");
}

#endif  // USE_ONEDNN

}  // namespace caffe
