#include <google/protobuf/text_format.h>

#include <atomic>
#include <ostream>  // NOLINT(readability/streams)
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/common.hpp"
#include "caffe/layers/base_data_layer.hpp"
#include "caffe/net.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/util/blocking_queue.hpp"
#include "caffe/util/parallel_for.hpp"


namespace caffe {

namespace {

struct Unprintable {};
std::ostream& operator<<(std::ostream&, const Unprintable&) { throw 5; }

template <typename F>
bool ThrowsInt(const F& f) {
  try {
    f();
  } catch (int) {
    return true;
  }
  return false;
}

struct Constants {
  static const int kThree = 3;  // declared, and defined nowhere
};

// Compiles without warnings: the compiler knows that there is no return.
int OnlyOne(int x) {
  switch (x) {
  case 1:
    return 2;
  default:
    LOG(FATAL) << "Unknown " << x << std::endl;
  }
}

// Fails in the destructor, as in a net that has lost its device.
struct Faulty {
  ~Faulty() { CAFFE_LOG_ERRORS(CHECK_EQ(1, 2) << "in a destructor"); }
};

NetParameter Parse(const string& text) {
  NetParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &param));
  return param;
}

const char kInput[] = "layer { name: 'data' type: 'Input' top: 'data' "
    "input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }";

}  // namespace

TEST(ErrorTest, TestText) {
  const int line = __LINE__ + 2;
  try {
    CHECK_EQ(1 + 1, 3) << "of " << "course ";
    FAIL();
  } catch (const Error& error) {
    const string message = "Check failed: 1 + 1 == 3 (2 vs. 3) of course";
    EXPECT_EQ(message, error.message());
    EXPECT_EQ(message + " (test_error.cpp:" + std::to_string(line) + ")",
              error.what());
    EXPECT_EQ("test_error.cpp", error.file());
    EXPECT_EQ(line, error.line());
    EXPECT_EQ("", error.layer());
  }
}

TEST(ErrorTest, TestMacros) {
  EXPECT_ERROR(CHECK(false), "^Check failed: false \\(test_error");
  EXPECT_ERROR(CHECK_LT(2, 1), "2 < 1 \\(2 vs. 1\\)");
  EXPECT_ERROR(CHECK_EQ(Constants::kThree, 2u), "\\(3 vs. 2\\)");
  EXPECT_ERROR(CHECK_GT(static_cast<unsigned char>(0), 1), "\\(0 vs. 1\\)");
  EXPECT_ERROR(CHECK_EQ(string("a"), "b"), "\\(a vs. b\\)");
  EXPECT_ERROR(CHECK_STREQ("a", "b"), "\\(a vs. b\\)");
  EXPECT_ERROR(LOG(FATAL), "^ \\(test_error");
  EXPECT_ERROR(LOG_IF(FATAL, true) << "if", "^if \\(");
  EXPECT_ERROR(OnlyOne(7), "^Unknown 7 \\(");
  EXPECT_ERROR(NOT_IMPLEMENTED, "^Not Implemented Yet \\(");
  int* nowhere = NULL;
  EXPECT_ERROR(CHECK_NOTNULL(nowhere), "'nowhere' must be non-NULL");
  int here = 1;
  *CHECK_NOTNULL(&here) = 2;
  EXPECT_EQ(2, here);
  EXPECT_EQ(2, OnlyOne(1));
  LOG_IF(FATAL, false) << "never";
  if (here == 2) CHECK_EQ(here, 2); else CHECK(false);
}

// Throwing in glog's way, in a destructor, would end the process here.
TEST(ErrorTest, TestOperandThrows) {
  EXPECT_TRUE(ThrowsInt([] { CHECK(false) << Unprintable(); }));
  EXPECT_TRUE(ThrowsInt([] { CHECK_EQ(1, 2) << Unprintable(); }));
  EXPECT_TRUE(ThrowsInt([] { LOG(FATAL) << Unprintable(); }));
}

TEST(ErrorTest, TestDestructor) {
  EXPECT_ERROR(Faulty faulty; CHECK(false) << "outside", "outside");
}

TEST(ErrorTest, TestLayerScope) {
  LayerParameter outer, inner;
  outer.set_name("lstm1");
  outer.set_type("LSTM");
  inner.set_name("gates");
  inner.set_type("InnerProduct");
  const LayerScope scope(outer);
  EXPECT_ERROR(LOG(FATAL) << "x", "^layer lstm1 \\(LSTM\\): x \\(test_error");
  try {
    const LayerScope scope(inner);
    LOG(FATAL) << "x";
  } catch (const Error& error) {
    EXPECT_EQ("lstm1", error.layer());
    EXPECT_EQ("x", error.message());
    EXPECT_EQ(0, string(error.what()).find(
        "layer lstm1 (LSTM): layer gates (InnerProduct): x ("));
  }
  EXPECT_ERROR(LOG(FATAL) << "x", "^layer lstm1 \\(LSTM\\): x \\(test_error");
}

TEST(ErrorTest, TestNetNamesLayer) {
  const NetParameter bad = Parse(string(kInput) +
      "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' "
      "convolution_param { num_output: 2 kernel_size: 3 group: 2 } }");
  EXPECT_ERROR(Net<float> net(bad), "^layer c \\(Convolution\\): .*% group_");
  EXPECT_ERROR(Net<float> net(Parse(string(kInput) +
      "layer { name: 'x' type: 'Convolutoin' }")),
      "^layer x \\(Convolutoin\\): .*Unknown layer type");
  Net<float> net(Parse(string(kInput) +
      "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' "
      "convolution_param { num_output: 2 kernel_size: 3 } }"));
  net.input_blobs()[0]->Reshape(1, 4, 5, 5);
  EXPECT_ERROR(net.Reshape(), "^layer c \\(Convolution\\)");
  EXPECT_ERROR(net.Forward(), "^layer c \\(Convolution\\)");
  // The net goes on.
  net.input_blobs()[0]->Reshape(1, 3, 5, 5);
  net.Forward();
  EXPECT_EQ(18, net.output_blobs()[0]->count());
  // And no layer is at work any more.
  EXPECT_ERROR(LOG(FATAL) << "x", "^x");
}

TEST(ErrorTest, TestParallelFor) {
  const int kLarge = 1 << 20;  // a cost for which threads pay
  LayerParameter layer;
  layer.set_name("l");
  const LayerScope scope(layer);
  for (int i = 0; i < 100; ++i) {
    EXPECT_ERROR(ParallelFor(997, kLarge, [i](int j) {
      CHECK_NE(i * 9, j);
    }), "^layer l .*Check failed");
  }
  std::atomic<int> calls(0);
  ParallelFor(997, kLarge, [&calls](int) { ++calls; });
  EXPECT_EQ(997, calls);
}

TEST(ErrorTest, TestBlockingQueue) {
  BlockingQueue<Batch<float>*> queue;
  Batch<float> batch;
  queue.push(&batch);
  try {
    LOG(FATAL) << "of the producer";
  } catch (...) {
    queue.fail();
  }
  // What was there comes first, then the error, as often as it is asked for.
  EXPECT_EQ(&batch, queue.pop());
  EXPECT_ERROR(queue.pop(), "of the producer");
  EXPECT_ERROR(queue.pop(), "of the producer");
}

}  // namespace caffe
