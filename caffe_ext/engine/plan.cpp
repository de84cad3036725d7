#include "engine/plan.hpp"

#include <algorithm>

#include "caffe/common.hpp"
#include "caffe/error.hpp"
#include "caffe/proto/caffe.pb.h"
#include "engine/memory_plan.hpp"
#include "engine/ops/caffe_layer.hpp"

namespace caffe {
namespace engine {

namespace {

// While it lives, errors name the first layer that an op stands for; Caffe's own
// layers name themselves.
class OpScope {
 public:
  explicit OpScope(Op* op) {
    if (!op->layers.empty() && !As<CaffeLayer>(op)) {
      layer_.set_name(op->layers[0]);
      layer_.set_type(op->kind());
      scope_.reset(new LayerScope(layer_));
    }
  }

 private:
  LayerParameter layer_;
  std::unique_ptr<LayerScope> scope_;
};

// Steps divide by sizes.
void CheckNotEmpty(const Value& value) {
  CHECK(std::find(value.shape.begin(), value.shape.end(), 0) ==
        value.shape.end()) << value.name << " is empty: "
      << Blob<float>(value.shape).shape_string();
}

}  // namespace

Plan::Plan(Graph* graph, Device* device) : device_(device) {
  for (const Value* input : graph->inputs) {
    CheckNotEmpty(*input);
    input_shapes_.push_back(input->shape);
  }
  for (const auto& op : graph->ops()) {
    const OpScope scope(op.get());
    op->InferShapes();
    for (const Value* output : op->outputs) { CheckNotEmpty(*output); }
  }
  for (const Value* output : graph->outputs) {
    output_shapes_.push_back(output->shape);
  }

  const MemoryPlan plan(*graph);
  size_t scratch = 0;
  for (const auto& op : graph->ops()) {
    if (op->IsView()) {
      continue;
    }
    const OpScope scope(op.get());
    instructions_.push_back({op.get(), device->MakeStep(op.get()), Buffers(), {},
                             op->MultiplyAdds()});
    const Step& step = *instructions_.back().step;
    scratch = std::max(scratch, step.ScratchFloats());
    recordable_ = recordable_ && step.Recordable();
  }
  bytes_ = std::max((plan.bytes + scratch * sizeof(float) + kAlignment - 1) /
                    kAlignment, size_t(1)) * kAlignment;
  share_.Take(bytes_);
  memory_ = device->Allocate(bytes_);
  CHECK(memory_) << "no memory for " << bytes_ << " bytes of activations";

  const auto input_number = [&](const Value* value) -> int {
    const auto found = plan.inputs.find(value);
    return found == plan.inputs.end() ? -1 :
        std::find(graph->inputs.begin(), graph->inputs.end(), found->second) -
        graph->inputs.begin();
  };
  const auto place = [&](const Value* value) -> char* {
    return input_number(value) >= 0 ? NULL :
        memory_.get() + plan.offsets.at(value);
  };
  for (Instruction& instruction : instructions_) {
    Buffers& buffers = instruction.buffers;
    for (const Value* input : instruction.op->inputs) {
      buffers.inputs.push_back(place(input));
      instruction.graph_inputs.push_back(input_number(input));
    }
    for (const Value* output : instruction.op->outputs) {
      buffers.outputs.push_back(place(output));
    }
    buffers.scratch = reinterpret_cast<float*>(memory_.get() + plan.bytes);
  }
  for (const Value* output : graph->outputs) {
    outputs_.push_back(reinterpret_cast<const float*>(place(output)));
    graph_outputs_.push_back(input_number(output));
  }
}

void Plan::Bind(const std::vector<const float*>& inputs) {
  // Steps do not write their inputs, but where the memory is the plan's own.
  const auto bind = [&](int number, char** place) {
    if (number >= 0) {
      *place = reinterpret_cast<char*>(const_cast<float*>(inputs[number]));
    }
  };
  for (Instruction& instruction : instructions_) {
    for (size_t i = 0; i < instruction.graph_inputs.size(); ++i) {
      bind(instruction.graph_inputs[i], &instruction.buffers.inputs[i]);
    }
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (graph_outputs_[i] >= 0) { outputs_[i] = inputs[graph_outputs_[i]]; }
  }
}

void Plan::Run(const std::vector<const float*>& inputs) {
  if (inputs != inputs_) {
    Bind(inputs);
    inputs_ = inputs;
    recording_.reset();
  }
  device_->Run([this] {
    const auto end = instructions_.end();
    for (auto next = instructions_.begin(); next != end;) {
      const auto alone = std::find_if(next, end, [](const Instruction& i) {
        return !i.step->Shares();
      });
      if (alone != next) {
        device_->Gather([&] {
          for (; next != alone; ++next) { next->step->Run(next->buffers); }
        });
      } else {
        next->step->Run(next->buffers);
        ++next;
      }
    }
  }, recordable_ ? &recording_ : NULL);
}

}  // namespace engine
}  // namespace caffe
