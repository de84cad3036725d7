#ifndef CAFFE_TOOLS_COMPILED_ENGINE_HPP_
#define CAFFE_TOOLS_COMPILED_ENGINE_HPP_

#include <gflags/gflags.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "caffe/net.hpp"
#ifdef USE_ENGINE
#include "caffe/program.hpp"
#include "caffe/util/benchmark.hpp"
#endif

DEFINE_string(engine, "caffe",
    "Optional; caffe, or compiled, compiled-bf16 or, with -gpu, compiled-f16 or "
    "compiled-tf32: compiled inference. Only used for 'test', and 'time', which "
    "then times the forward pass of phase TEST.");

namespace caffe {

/// @brief The precision of -engine's programs; that of Caffe's layers is empty.
inline std::string EnginePrecision() {
  const std::map<std::string, std::string> precisions = {
      {"caffe", ""}, {"compiled", "f32"}, {"compiled-tf32", "tf32"},
      {"compiled-f16", "f16"}, {"compiled-bf16", "bf16"}};
  const auto found = precisions.find(FLAGS_engine);
  CHECK(found != precisions.end()) << "-engine " << FLAGS_engine
      << ": expected caffe, compiled, compiled-bf16, -f16 or -tf32";
  return found->second;
}

inline bool CompiledEngine() { return !EnginePrecision().empty(); }

#ifdef USE_ENGINE

/// @brief The net's program if -engine says so, else none.
inline std::unique_ptr<Program> CompileAsFlagged(const Net<float>& net) {
  if (!CompiledEngine()) {
    return nullptr;
  }
  return std::unique_ptr<Program>(new Program(net, 0, std::vector<std::string>(),
                                              EnginePrecision()));
}

/// @brief A net's forward pass, by its program if there is one.
inline const std::vector<Blob<float>*>& Forward(Net<float>* net,
    Program* program, float* loss) {
  if (program == NULL) {
    return net->Forward(loss);
  }
  program->Forward();
  *loss = 0;
  for (size_t i = 0; i < program->outputs().size(); ++i) {
    const Blob<float>& output = *program->outputs()[i];
    net->output_blobs()[i]->CopyFrom(output, false, true);
    const float weight =
        net->blob_loss_weights()[net->output_blob_indices()[i]];
    for (int j = 0; weight && j < output.count(); ++j) {
      *loss += weight * output.cpu_data()[j];
    }
  }
  return net->output_blobs();
}

/// @brief `caffe time` of a program.
inline int Time(Program* program, int iterations) {
  program->Forward();
  LOG(INFO) << "*** Benchmark begins ***";
  LOG(INFO) << "Testing for " << iterations << " iterations.";
  Timer total;
  total.Start();
  for (int i = 0; i < iterations; ++i) {
    Timer timer;
    timer.Start();
    program->Forward();
    LOG(INFO) << "Iteration: " << i + 1 << " forward time: "
        << timer.MilliSeconds() << " ms.";
  }
  total.Stop();
  LOG(INFO) << "Median time per step: ";
  for (const StepInfo& step : program->Explain(iterations)) {
    std::string layers;
    for (const std::string& layer : step.layers) { layers += " " + layer; }
    LOG(INFO) << step.kind << " (" << step.implementation << ")\tforward: "
        << step.milliseconds << " ms." << layers;
  }
  LOG(INFO) << "Average Forward pass: " << total.MilliSeconds() / iterations
      << " ms.";
  LOG(INFO) << "*** Benchmark ends ***";
  return 0;
}

#else  // built without oneDNN: there are no programs

class Program {};

inline std::unique_ptr<Program> CompileAsFlagged(const Net<float>&) {
  CHECK(!CompiledEngine())
      << "-engine compiled: this Caffe was built without oneDNN";
  return nullptr;
}

inline const std::vector<Blob<float>*>& Forward(Net<float>* net, Program*,
    float* loss) {
  return net->Forward(loss);
}

inline int Time(Program*, int) { return 0; }

#endif  // USE_ENGINE

}  // namespace caffe

#endif  // CAFFE_TOOLS_COMPILED_ENGINE_HPP_
