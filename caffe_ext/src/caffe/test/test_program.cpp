#ifdef USE_ENGINE
#include <google/protobuf/text_format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/program.hpp"
#include "caffe/test/test_error_util.hpp"
#include "caffe/test/test_threads_util.hpp"

namespace caffe {

namespace {

const int kRounds = 5;

string Layer(const string& type, const string& bottoms, const string& top,
    const string& parameters = "") {
  string text = "layer { type: '" + type + "' name: '" + top + "' top: '" + top +
      "' ";
  for (char bottom : bottoms) { text += string("bottom: '") + bottom + "' "; }
  return text + parameters + " } ";
}

string Convolution(const string& bottom, const string& top,
    const string& parameters) {
  return Layer("Convolution", bottom, top, "convolution_param { " + parameters +
      " weight_filler { type: 'msra' } bias_filler { type: 'gaussian' } }");
}

string Reshape(const string& bottom, const string& top, const string& dims) {
  return Layer("Reshape", bottom, top,
      "reshape_param { shape { " + dims + " } }");
}

// An SK unit (s: what it selects), then a residual unit and a classifier; t is a
// layer that the compiler leaves to Caffe. Random weights of this seed.
std::unique_ptr<Net<float> > MakeNet(int seed) {
  const string mean = "pooling_param { pool: AVE global_pooling: true }";
  NetParameter param;
  CHECK(google::protobuf::TextFormat::ParseFromString(
      Layer("Input", "", "d",
          "input_param { shape { dim: 2 dim: 3 dim: 14 dim: 13 } }") +
      Convolution("d", "i", "num_output: 16 kernel_size: 1") +
      Convolution("i", "a", "num_output: 16 kernel_size: 3 group: 4 pad: 1") +
      Layer("ReLU", "a", "a") +
      Convolution("i", "b",
          "num_output: 16 kernel_size: 3 group: 4 pad: 2 dilation: 2") +
      Layer("Eltwise", "ab", "u") + Layer("Pooling", "u", "m", mean) +
      Convolution("m", "r", "num_output: 8 kernel_size: 1") +
      Layer("ReLU", "r", "r") +
      Convolution("r", "e", "num_output: 32 kernel_size: 1") +
      Reshape("e", "f", "dim: 0 dim: 2 dim: -1 dim: 0") +
      Layer("Softmax", "f", "g") + Layer("Slice", "g", "h", "top: 'j'") +
      Reshape("h", "k", "dim: 0 dim: 16") +
      Reshape("j", "l", "dim: 0 dim: 16 dim: 1 dim: 1") +
      Layer("Scale", "ak", "n", "scale_param { axis: 0 }") +
      Layer("Axpy", "lbn", "s") +
      Layer("Concat", "si", "c") +
      Layer("Pooling", "c", "p",
          "pooling_param { pool: MAX kernel_size: 3 stride: 2 }") +
      Convolution("p", "q", "num_output: 16 kernel_size: 3 pad: 1") +
      Convolution("p", "v", "num_output: 16 kernel_size: 1") +
      Layer("Eltwise", "qv", "w") + Layer("ReLU", "w", "w") +
      Layer("TanH", "w", "t") + Layer("Pooling", "t", "x", mean) +
      Layer("InnerProduct", "x", "y", "inner_product_param { num_output: 5 "
          "weight_filler { type: 'xavier' } }") +
      Layer("Softmax", "y", "z"), &param));
  param.mutable_state()->set_phase(TEST);
  Caffe::set_random_seed(seed);
  return std::unique_ptr<Net<float> >(new Net<float>(param));
}

std::unique_ptr<Program> Compile(const Net<float>& net,
    const string& precision = "f32") {
  return std::unique_ptr<Program>(
      new Program(net, 2, {"s", "t", "z"}, precision));
}

void Fill(int seed, int batch, Blob<float>* images) {
  images->Reshape(batch, 3, 14, 13);
  Caffe::set_random_seed(seed);
  caffe_rng_gaussian<float>(images->count(), 0, 1, images->mutable_cpu_data());
}

// All outputs for random images of this seed.
vector<float> Outputs(Program* program, int seed, int batch = 2) {
  Fill(seed, batch, program->inputs()[0].get());
  program->Forward();
  vector<float> values;
  for (const shared_ptr<Blob<float> >& output : program->outputs()) {
    values.insert(values.end(), output->cpu_data(),
                  output->cpu_data() + output->count());
  }
  return values;
}

// What run(i) gives on thread i, with the others at work, is what it gives alone.
void ExpectAsIfAlone(const std::function<vector<float>(int)>& run) {
  vector<vector<float> > alone(kThreads), together(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    alone[i] = run(i);
  }
  OnThreads([&](int i) { together[i] = run(i); });
  for (int i = 0; i < kThreads; ++i) {
    EXPECT_TRUE(alone[i] == together[i]) << "thread " << i;
  }
}

void Append(const vector<float>& more, vector<float>* values) {
  values->insert(values->end(), more.begin(), more.end());
}

}  // namespace

TEST(ProgramTest, TestAsTheNet) {
  const std::unique_ptr<Net<float> > net = MakeNet(1);
  const std::unique_ptr<Program> program = Compile(*net);
  std::set<string> kinds;
  for (const StepInfo& step : program->Explain(0)) { kinds.insert(step.kind); }
  EXPECT_TRUE(kinds.count("Branches") && kinds.count("Select"));
  EXPECT_TRUE(kinds.count("CaffeLayer"));
  for (int batch : {2, 1, 3}) {
    Outputs(program.get(), batch, batch);
    Fill(batch, batch, net->input_blobs()[0]);
    net->Forward();
    for (size_t i = 0; i < program->outputs().size(); ++i) {
      const string& name = program->output_names()[i];
      const Blob<float>& expected = *net->blob_by_name(name);
      const Blob<float>& actual = *program->outputs()[i];
      ASSERT_EQ(expected.shape(), actual.shape()) << name;
      float largest = 0, difference = 0;
      for (int k = 0; k < expected.count(); ++k) {
        largest = std::max(largest, std::abs(expected.cpu_data()[k]));
        difference = std::max(difference,
            std::abs(expected.cpu_data()[k] - actual.cpu_data()[k]));
      }
      EXPECT_GT(largest, 0.1) << name;
      EXPECT_LT(difference, 1e-5 * largest) << name << " of batch " << batch;
    }
  }
}

TEST(ProgramTest, TestProgramsAsIfAlone) {
  ExpectAsIfAlone([](int i) {
    const std::unique_ptr<Program> program =
        Compile(*MakeNet(i), i % 2 ? "bf16" : "f32");
    vector<float> values;
    for (int round = 0; round < kRounds; ++round) {
      Append(Outputs(program.get(), round, 1 + i), &values);
    }
    return values;
  });
}

// Whose weights several threads read, and whose blobs none changes.
TEST(ProgramTest, TestProgramsOfOneNet) {
  const std::unique_ptr<Net<float> > net = MakeNet(1);
  ExpectAsIfAlone([&net](int i) {
    vector<float> values;
    for (int round = 0; round < kRounds; ++round) {
      Append(Outputs(Compile(*net).get(), i), &values);
    }
    return values;
  });
}

// Also shapes that it had before: it keeps few.
TEST(ProgramTest, TestNewBatchesBesideOthers) {
  ExpectAsIfAlone([](int i) {
    const std::unique_ptr<Program> program = Compile(*MakeNet(i));
    vector<float> values;
    for (int round = 0; round < 2 * kRounds; ++round) {
      const int batch = i % 2 ? 1 + (round + i) % 6 : 2;
      Append(Outputs(program.get(), round, batch), &values);
    }
    return values;
  });
}

TEST(ProgramTest, TestErrorsApart) {
  ExpectAsIfAlone([](int i) {
    const std::unique_ptr<Net<float> > net = MakeNet(i);
    const std::unique_ptr<Program> program = Compile(*net);
    vector<float> values;
    for (int round = 0; round < kRounds; ++round) {
      if (i % 2) {
        program->inputs()[0]->Reshape(2, 4, 14, 13);
        EXPECT_ERROR(program->Forward(), "channels of d");
        EXPECT_ERROR(Program(*net, 2, {"nosuch"}), "no blob 'nosuch'");
      }
      Append(Outputs(program.get(), round), &values);
    }
    return values;
  });
}

// Scratch is for the threads of the compilation, whatever OpenMP's number is later.
TEST(ProgramTest, TestThreadsStay) {
  const std::unique_ptr<Net<float> > net = MakeNet(1);
  const auto bytes = [&net](int threads, int before, int after) {
    omp_set_num_threads(before);
    Program program(*net, threads, {"s"});
    omp_set_num_threads(after);
    program.inputs()[0]->Reshape(3, 3, 14, 13);
    return program.ActivationBytes();
  };
  std::async(std::launch::async, [&bytes] {  // OpenMP's number is a thread's own
    EXPECT_LT(bytes(1, 1, 1), bytes(4, 4, 4));
    EXPECT_EQ(bytes(4, 4, 4), bytes(4, 1, 1));
    EXPECT_EQ(bytes(1, 1, 1), bytes(0, 1, 4));
  }).get();
}

}  // namespace caffe
#endif  // USE_ENGINE
