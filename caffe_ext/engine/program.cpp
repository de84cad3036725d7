#include "caffe/program.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>

#include "caffe/util/onednn.hpp"
#include "engine/import.hpp"
#include "engine/passes.hpp"
#include "engine/plan.hpp"

namespace caffe {

using engine::Plan;
using onednn::WithErrors;

namespace {

const size_t kPlans = 4;  // shapes that stay compiled

// OpenMP's number of threads, for this thread, while it lives.
class Threads {
 public:
  explicit Threads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~Threads() { omp_set_num_threads(before_); }

 private:
  const int before_;
};

}  // namespace

Program::Program(const Net<float>& net, int threads,
    const std::vector<std::string>& outputs, const std::string& precision)
    : threads_(threads > 0 ? threads : omp_get_max_threads()) {
  CHECK(precision == "f32" || precision == "bf16") << "precision '" << precision
      << "'; expected f32 or bf16";
#ifdef __x86_64__
  CHECK(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      << "compiled programs need a CPU with AVX2 and FMA";
#endif
  output_names_ = outputs;
  if (outputs.empty()) {
    for (int blob : net.output_blob_indices()) {
      output_names_.push_back(net.blob_names()[blob]);
    }
  }
  WithErrors([&] {
    const Threads scope(threads_);
    graph_ = engine::Import(net, output_names_);
    engine::Optimize(graph_.get(), precision == "bf16");
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
  WithErrors([&] { plans_.emplace_front(new Plan(graph_.get())); });
  if (plans_.size() > kPlans) {
    plans_.pop_back();
  }
  return *plans_.front();
}

void Program::Reshape() {
  const Threads scope(threads_);
  const Plan& plan = PlanForInputs();
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i]->Reshape(plan.output_shapes()[i]);
  }
}

void Program::Forward() {
  const Threads scope(threads_);
  Plan& plan = PlanForInputs();
  std::vector<const float*> values;
  for (const auto& input : inputs_) { values.push_back(input->cpu_data()); }
  WithErrors([&] { plan.Run(values); });
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i]->Reshape(plan.output_shapes()[i]);
    std::copy_n(plan.outputs()[i], outputs_[i]->count(),
                outputs_[i]->mutable_cpu_data());
  }
}

std::vector<StepInfo> Program::Explain(int iterations) {
  Forward();
  const Threads scope(threads_);
  Plan& plan = PlanForInputs();
  typedef std::chrono::steady_clock Clock;
  std::vector<std::vector<double> > times(plan.instructions().size());
  for (int i = 0; i < iterations; ++i) {
    for (size_t j = 0; j < times.size(); ++j) {
      Plan::Instruction& instruction = plan.instructions()[j];
      const Clock::time_point start = Clock::now();
      instruction.step->Run(instruction.buffers);
      times[j].push_back(std::chrono::duration<double, std::milli>(
          Clock::now() - start).count());
    }
  }
  std::vector<StepInfo> steps;
  for (size_t j = 0; j < times.size(); ++j) {
    const Plan::Instruction& instruction = plan.instructions()[j];
    std::sort(times[j].begin(), times[j].end());
    const double median = times[j].empty() ? 0 : times[j][times[j].size() / 2];
    steps.push_back({instruction.op->kind(),
        instruction.step->Implementation(), instruction.op->layers, median,
        median > 0 ? 2e-6 * instruction.multiply_adds / median : 0});
  }
  return steps;
}

size_t Program::ActivationBytes() {
  const Threads scope(threads_);
  return PlanForInputs().bytes();
}

}  // namespace caffe
