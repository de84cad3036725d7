#include <algorithm>

#include "engine/ops/channels.hpp"
#include "engine/ops/concat.hpp"
#include "engine/ops/convolution.hpp"
#include "engine/ops/eltwise.hpp"
#include "engine/ops/layout.hpp"
#include "engine/ops/pooling.hpp"
#include "engine/ops/select.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

// An SK unit as it is found, from its Sum on.
struct Unit {
  Sum* sum;
  Convolution *reduce, *expand;
  std::vector<Op*> ops;          // all of them
  std::vector<Value*> branches;  // in the order of the attention's slices
  Value* selected;
};

// The only user of an op's only output, if it is a T; noted among the unit's.
template <typename T>
T* Next(const Graph& graph, const Op* op, Unit* unit) {
  T* next = op->outputs.size() == 1 ? As<T>(graph.OnlyUser(op->outputs[0])) :
      NULL;
  if (next) {
    unit->ops.push_back(next);
  }
  return next;
}

bool IsOfVector(const Convolution* op) {
  return op != NULL && Bottleneck::Fits(*op) && op->inputs[0]->IsVector();
}

// From a slice of the attention to the gate of its branch.
Gate* FindGate(const Graph& graph, Value* value, Unit* unit) {
  for (;;) {
    Op* user = graph.OnlyUser(value);
    if (user == NULL) {
      return NULL;
    }
    unit->ops.push_back(user);
    if (Gate* gate = As<Gate>(user)) {
      return gate->inputs[1] == value && gate->PerChannel() ? gate : NULL;
    }
    if (As<View>(user) == NULL) {
      return NULL;
    }
    value = user->outputs[0];
  }
}

bool Match(const Graph& graph, Op* op, Unit* unit) {
  Sum* sum = unit->sum = As<Sum>(op);
  if (sum == NULL || sum->relu ||
      sum->coefficients != std::vector<float>(sum->inputs.size(), 1)) {
    return false;
  }
  unit->ops.push_back(sum);
  const size_t branches = sum->inputs.size();
  const Pooling* pool = Next<Pooling>(graph, sum, unit);
  if (pool == NULL || !pool->IsMean()) {
    return false;
  }
  unit->reduce = Next<Convolution>(graph, pool, unit);
  if (!IsOfVector(unit->reduce)) {
    return false;
  }
  unit->expand = Next<Convolution>(graph, unit->reduce, unit);
  if (!IsOfVector(unit->expand) || unit->expand->relu) {
    return false;
  }
  const int channels = sum->inputs[0]->shape[1];
  const View* apart = Next<View>(graph, unit->expand, unit);
  if (apart == NULL || unit->reduce->inputs[0]->shape[1] != channels ||
      unit->expand->num_output != static_cast<int>(branches) * channels ||
      apart->outputs[0]->shape != std::vector<int>(
          {sum->inputs[0]->shape[0], static_cast<int>(branches), channels,
           1})) {
    return false;
  }
  const Softmax* softmax = Next<Softmax>(graph, apart, unit);
  const Slice* slice = softmax ? Next<Slice>(graph, softmax, unit) : NULL;
  if (slice == NULL || slice->axis != 1 ||
      slice->outputs.size() != branches) {
    return false;
  }
  std::vector<Gate*> gates;
  for (Value* part : slice->outputs) {
    Gate* gate = FindGate(graph, part, unit);
    if (gate == NULL || gate->relu ||
        std::count(sum->inputs.begin(), sum->inputs.end(),
                   gate->inputs[0]) != 1) {
      return false;
    }
    gates.push_back(gate);
    unit->branches.push_back(gate->inputs[0]);
  }
  // One gate adds nothing; each other adds what one of them made.
  unit->selected = NULL;
  std::vector<Value*> sums;
  for (const Gate* gate : gates) {
    if (gate->inputs.size() > 2) { sums.push_back(gate->inputs[2]); }
  }
  for (const Gate* gate : gates) {
    Value* made = gate->outputs[0];
    const int added = std::count(sums.begin(), sums.end(), made);
    if (added == 0 && unit->selected == NULL) {
      unit->selected = made;
    } else if (added != 1 || graph.OnlyUser(made) == NULL) {
      return false;
    }
  }
  return sums.size() + 1 == gates.size() && unit->selected != NULL;
}

}  // namespace

void FuseSelectiveKernels(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    Unit unit;
    if (graph->Find(op) == graph->End() || !Match(*graph, op, &unit)) {
      continue;
    }
    std::unique_ptr<MeanOfSum> mean(new MeanOfSum);
    mean->inputs = unit.sum->inputs;
    mean->outputs = {unit.reduce->inputs[0]};
    std::unique_ptr<Select> select(new Select);
    select->inputs = mean->outputs;
    select->inputs.insert(select->inputs.end(), unit.branches.begin(),
                          unit.branches.end());
    select->outputs = {unit.selected};
    select->attention = Bottleneck(*unit.reduce, *unit.expand);
    for (const Op* part : unit.ops) {
      Op* into = part == unit.ops[0] || part == unit.ops[1] ?
          static_cast<Op*>(mean.get()) : select.get();
      into->layers.insert(into->layers.end(), part->layers.begin(),
                          part->layers.end());
    }
    // The gates come last, with their branches there.
    const Op* last = graph->Producer(unit.selected);
    graph->Insert(graph->Find(unit.sum), std::move(mean));
    graph->Insert(graph->Find(last), std::move(select));
    std::sort(unit.ops.begin(), unit.ops.end());
    unit.ops.erase(std::unique(unit.ops.begin(), unit.ops.end()),
                   unit.ops.end());
    for (const Op* part : unit.ops) { graph->Remove(part); }
  }
}

}  // namespace engine
}  // namespace caffe
