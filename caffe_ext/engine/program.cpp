#include "caffe/program.hpp"

#include <algorithm>

#include "engine/device.hpp"
#include "engine/import.hpp"
#include "engine/passes.hpp"
#include "engine/plan.hpp"

namespace caffe {

using engine::Plan;

namespace {

const size_t kPlans = 4;  // shapes that stay compiled

std::unique_ptr<engine::Device> MakeDevice(int threads,
                                           const std::string& precision) {
  if (Caffe::mode() == Caffe::CPU) {
    return engine::MakeCpu(threads, precision);
  }
#ifdef USE_GPU_ENGINE
  return engine::MakeGpu(precision);
#else
  LOG(FATAL) << "nets are compiled for GPUs by a Caffe with CUDA and cuDNN";
#endif
}

}  // namespace

Program::Program(const Net<float>& net, int threads,
    const std::vector<std::string>& outputs, const std::string& precision)
    : device_(MakeDevice(threads, precision)) {
  output_names_ = outputs;
  if (outputs.empty()) {
    for (int blob : net.output_blob_indices()) {
      output_names_.push_back(net.blob_names()[blob]);
    }
  }
  device_->Do([&] {
    graph_ = engine::Import(net, output_names_);
    engine::Optimize(graph_.get(), *device_);
  });
  for (const engine::Value* input : graph_->inputs) {
    input_names_.push_back(input->name);
    inputs_.emplace_back(new Blob<float>(input->shape));
  }
  for (size_t i = 0; i < output_names_.size(); ++i) {
    outputs_.emplace_back(new Blob<float>());
  }
  Reshape();
}

Program::~Program() {}

Plan& Program::PlanForInputs() {
  std::vector<std::vector<int> > shapes;
  for (const auto& input : inputs_) { shapes.push_back(input->shape()); }
  const auto found = std::find_if(plans_.begin(), plans_.end(),
      [&](const std::unique_ptr<Plan>& plan) {
    return plan->input_shapes() == shapes;
  });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
    return *plans_.front();
  }
  for (size_t i = 0; i < shapes.size(); ++i) {
    graph_->inputs[i]->shape = shapes[i];
  }
  plans_.emplace_front(new Plan(graph_.get(), device_.get()));
  if (plans_.size() > kPlans) {
    plans_.pop_back();
  }
  return *plans_.front();
}

void Program::Reshape() {
  device_->Do([&] {
    const Plan& plan = PlanForInputs();
    for (size_t i = 0; i < outputs_.size(); ++i) {
      outputs_[i]->Reshape(plan.output_shapes()[i]);
    }
  });
}

void Program::Forward() {
  device_->Do([&] {
    Plan& plan = PlanForInputs();
    std::vector<const float*> values;
    for (const auto& input : inputs_) {
      values.push_back(device_->Values(*input));
    }
    plan.Run(values);
    for (size_t i = 0; i < outputs_.size(); ++i) {
      outputs_[i]->Reshape(plan.output_shapes()[i]);
      device_->Copy(plan.outputs()[i], outputs_[i].get());
    }
  });
}

std::vector<StepInfo> Program::Explain(int iterations) {
  Forward();
  std::vector<StepInfo> steps;
  device_->Do([&] {
    Plan& plan = PlanForInputs();
    std::vector<std::vector<double> > times(plan.instructions().size());
    for (int i = 0; i < iterations; ++i) {
      for (size_t j = 0; j < times.size(); ++j) {
        Plan::Instruction& instruction = plan.instructions()[j];
        times[j].push_back(device_->Milliseconds([&] {
          instruction.step->Run(instruction.buffers);
        }));
      }
    }
    for (size_t j = 0; j < times.size(); ++j) {
      const Plan::Instruction& instruction = plan.instructions()[j];
      std::sort(times[j].begin(), times[j].end());
      const double median =
          times[j].empty() ? 0 : times[j][times[j].size() / 2];
      steps.push_back({instruction.op->kind(),
          instruction.step->Implementation(), instruction.op->layers, median,
          median > 0 ? 2e-6 * instruction.multiply_adds / median : 0});
    }
  });
  return steps;
}

size_t Program::ActivationBytes() {
  size_t bytes = 0;
  device_->Do([&] { bytes = PlanForInputs().bytes(); });
  return bytes;
}

}  // namespace caffe
