#include <google/protobuf/text_format.h>

#include <climits>
#include <fstream>  // NOLINT(readability/streams)
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/net.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/limits.hpp"
#include "caffe/util/read_proto.hpp"

namespace caffe {

class LimitsTest : public ::testing::Test {
 protected:
  virtual ~LimitsTest() { SetMemoryLimit(0); }

  static Net<float>* MakeNet(const string& layers) {
    NetParameter param;
    CHECK(google::protobuf::TextFormat::ParseFromString(
        "layer { name: 'data' type: 'Input' top: 'data' "
        "input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }" + layers,
        &param));
    return new Net<float>(param);
  }
  // A net of one layer more, which is refused with that text.
  static void Refused(const string& layer, const string& pattern) {
    shared_ptr<Net<float> > net;
    EXPECT_ERROR(net.reset(MakeNet("layer { name: 'l' bottom: 'data' top: 'l' " +
        layer + "}")); net->Forward(), "^layer l \\(.*" + pattern);
  }
  static string Write(const string& content) {
    string name;
    MakeTempFilename(&name);
    std::ofstream(name.c_str(), std::ios::binary) << content;
    return name;
  }
};

TEST_F(LimitsTest, TestReshapeRefuses) {
  Blob<float> blob(2, 3, 1, 1);
  blob.mutable_cpu_data()[5] = 7;
  EXPECT_ERROR(blob.Reshape(vector<int>({INT_MAX, 5})),
               "2147483647 x 5.*exceeds INT_MAX");
  EXPECT_ERROR(blob.Reshape(vector<int>({2, -1})), "-1 vs. 0.*2 x -1");
  EXPECT_ERROR(blob.Reshape(vector<int>({0, 65536, 65536})),
               "exceeds INT_MAX");
  EXPECT_ERROR(blob.Reshape(vector<int>(kMaxBlobAxes + 1, 1)), "33 vs. 32");
  // It is what it was.
  EXPECT_EQ(vector<int>({2, 3, 1, 1}), blob.shape());
  EXPECT_EQ(6, blob.count());
  EXPECT_EQ(7, blob.cpu_data()[5]);
  blob.Reshape(vector<int>({0, 5}));
  EXPECT_EQ(0, blob.count());
}

TEST_F(LimitsTest, TestDimensionsOf64Bits) {
  const int64_t kWrapsToOne = (1LL << 32) + 1;
  Blob<float> blob(1, 1, 1, 1);
  BlobShape shape;
  shape.add_dim(kWrapsToOne);
  EXPECT_ERROR(blob.Reshape(shape), "4294967297 exceeds INT_MAX");
  BlobProto proto;
  proto.mutable_shape()->add_dim(kWrapsToOne);
  proto.add_data(1);
  EXPECT_ERROR(blob.FromProto(proto), "4294967297 exceeds INT_MAX");
  EXPECT_ERROR(blob.ShapeEquals(proto), "4294967297 exceeds INT_MAX");
}

// 2^31 - 1 values are claimed, one is there: nothing is allocated.
TEST_F(LimitsTest, TestShapeWithoutData) {
  BlobProto proto;
  proto.mutable_shape()->add_dim(INT_MAX);
  proto.add_data(1);
  const size_t before = MemoryInUse();
  Blob<float> blob;
  EXPECT_ERROR(blob.FromProto(proto), "2147483647 vs. 1.*values of a blob");
  EXPECT_GE(before + 64, MemoryInUse());
}

TEST_F(LimitsTest, TestMemoryLimit) {
  const size_t before = MemoryInUse();
  SetMemoryLimit(before + 4096);
  Blob<float> small(1, 1, 1, 500), large(1, 1, 1, 1000);
  small.mutable_cpu_data();
  EXPECT_ERROR(large.mutable_cpu_data(),
               "blob of 4000 bytes exceeds the memory limit of .* in use");
  EXPECT_ERROR(large.mutable_cpu_diff(), "memory limit");
  small.mutable_cpu_diff();
  // A size that is allowed is allowed still, where nobody has the other's memory.
  large.Reshape(1, 1, 1, 3);
  EXPECT_EQ(0, large.cpu_data()[2]);
  SetMemoryLimit(0);
  large.Reshape(1, 1, 1, 1000);
  large.mutable_cpu_data()[999] = 1;
  EXPECT_LE(before + 8000, MemoryInUse());
  // Memory of the caller's takes its place.
  float values[1000];
  large.set_cpu_data(values);
  EXPECT_GT(before + 8000, MemoryInUse());
}

TEST_F(LimitsTest, TestMemoryIsGivenBack) {
  const size_t before = MemoryInUse();
  {
    shared_ptr<Net<float> > net(MakeNet(
        "layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip' "
        "inner_product_param { num_output: 5 } }"));
    net->Forward();
    EXPECT_LT(before, MemoryInUse());
  }
  EXPECT_EQ(before, MemoryInUse());
}

TEST_F(LimitsTest, TestLayers) {
  Refused("type: 'Convolution' convolution_param { num_output: 3 kernel_size: 3 "
          "group: 0 }", "group_ > 0");
  Refused("type: 'Convolution' convolution_param { num_output: 2147483647 "
          "kernel_size: 3 }", "exceeds INT_MAX");
  Refused("type: 'Convolution' convolution_param { num_output: 1 "
          "kernel_size: 3 pad: 1500000000 }", "exceeds INT_MAX");
  Refused("type: 'Convolution' convolution_param { num_output: 1 "
          "kernel_size: 3 dilation: 2000000000 }", "found 3, 1, 0 and 2000000000");
  Refused("type: 'Convolution' convolution_param { num_output: 1 "
          "kernel_size: 9 }", "a dimension of the shape");
  Refused("type: 'Deconvolution' convolution_param { num_output: 1 "
          "kernel_size: 3 stride: 2000000000 }", "found 3, 2000000000, 0 and 1");
  Refused("type: 'Im2col' convolution_param { kernel_size: 50000 pad: 30000 }",
          "exceeds INT_MAX");
  Refused("type: 'Pooling' pooling_param { kernel_size: 2 stride: 0 }",
          "Stride dimensions");
  Refused("type: 'Pooling' pooling_param { kernel_size: 2000000000 "
          "pad: 1999999999 }", "too large");
  Refused("type: 'Tile' tile_param { tiles: 2000000000 }", "exceeds INT_MAX");
  Refused("type: 'SPP' spp_param { pyramid_height: 4000000000 }",
          "pyramid_height");
  Refused("type: 'Reshape' reshape_param { shape { dim: 65536 dim: 65536 "
          "dim: -1 } }", "exceeds INT_MAX");
  Refused("type: 'Reshape' reshape_param { shape { dim: 4294967297 } }",
          "exceeds INT_MAX");
  Refused("type: 'Reshape' reshape_param { shape { dim: -2 dim: 3 } }",
          "negative");
  Refused("type: 'InnerProduct' inner_product_param { num_output: 2000000000 }",
          "exceeds INT_MAX");
  // Weights in the net itself, of another shape than the layer reads.
  Refused("type: 'InnerProduct' inner_product_param { num_output: 5 } "
          "blobs { shape { dim: 1 } data: 1 } blobs { shape { dim: 1 } data: 1 }",
          "shape mismatch");
}

TEST_F(LimitsTest, TestEmptyBottoms) {
  for (const string type : {"ArgMax", "BatchNorm", "MVN", "Softmax"}) {
    shared_ptr<Net<float> > net(MakeNet(
        "layer { name: 'l' bottom: 'data' top: 'l' type: '" + type + "' }"));
    net->input_blobs()[0]->Reshape(0, 3, 4, 4);
    EXPECT_ERROR(net->Forward(), "^layer l .*bottom 0 is empty.*0 x 3 x 4 x 4");
  }
}

// The windows beyond the image have no maximum, and pass on no gradient: not to
// what lies before the channel, which is the channel before it.
TEST_F(LimitsTest, TestPoolingBeyondTheImage) {
  shared_ptr<Net<float> > net(MakeNet("force_backward: true "
      "layer { name: 'l' type: 'Pooling' bottom: 'data' top: 'l' "
      "pooling_param { kernel_size: 1 stride: 5 } }"));
  net->input_blobs()[0]->Reshape(1, 2, 7, 7);
  net->Forward();
  Blob<float>* top = net->output_blobs()[0];
  ASSERT_EQ(18, top->count());
  caffe_set(18, 1.f, top->mutable_cpu_diff());
  net->Backward();
  EXPECT_EQ(8, net->input_blobs()[0]->asum_diff());
}

TEST_F(LimitsTest, TestText) {
  NetParameter param;
  EXPECT_ERROR(ReadProtoFromTextFile("/nowhere", &param),
               "File not found: /nowhere");
  EXPECT_ERROR(ReadProtoFromTextFile("/tmp", &param), "/tmp is a directory");
  const string name = Write("name: 'x'\nlayer { nmae: 'y' }");
  EXPECT_ERROR(ReadProtoFromTextFile(name, &param),
               name + ":2:\\d+: .*no field named \"nmae\"");
  string layers;
  for (int i = 0; i <= kMaxMessages; ++i) {
    layers += "layer{}";
  }
  EXPECT_ERROR(ReadProtoFromTextFile(Write(layers), &param),
               "262145 vs. 262144.*messages");
  EXPECT_ERROR(ReadProtoFromTextFile(Write(string(kMaxTextBytes + 1, ' ')),
               &param), "bytes of a text file");
}

TEST_F(LimitsTest, TestBinary) {
  NetParameter param, read;
  param.add_layer()->add_blobs()->add_data(3);
  const string good = param.SerializeAsString();
  EXPECT_TRUE(ReadProtoFromBinaryFile(Write(good), &read));
  EXPECT_EQ(3, read.layer(0).blobs(0).data(0));
  EXPECT_TRUE(ReadProtoFromBinaryFile(Write(""), &read));
  EXPECT_ERROR(ReadProtoFromBinaryFile(Write(good.substr(0, good.size() - 1)),
               &read), "Failed to parse NetParameter file");
  // A string of 2^31 - 1 bytes, of which one is there.
  EXPECT_ERROR(ReadProtoFromBinaryFile(Write("\x0a\xff\xff\xff\xff\x07x"),
               &read), "Failed to parse");
  // A million empty layers in 3 MB; and unknown groups, without an end.
  string layers;
  for (int i = 0; i < 1000000; ++i) {
    layers += string("\xa2\x06\0", 3);
  }
  EXPECT_ERROR(ReadProtoFromBinaryFile(Write(layers), &read),
               "262145 vs. 262144.*messages");
  EXPECT_ERROR(ReadProtoFromBinaryFile(Write(string(1000000, '\x7b')), &read),
               "Failed to parse");
  SetMemoryLimit(1);
  EXPECT_ERROR(ReadProtoFromBinaryFile(Write(good), &read), "memory limit");
}

}  // namespace caffe
