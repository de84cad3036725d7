#include <algorithm>
#include <vector>

#include "engine/ops/concat.hpp"
#include "engine/ops/eltwise.hpp"
#include "engine/ops/excitation.hpp"
#include "engine/ops/pooling.hpp"
#include "engine/passes.hpp"

namespace caffe {
namespace engine {

namespace {

bool IsGlobalPool(Op* op) {
  const Pooling* pool = As<Pooling>(op);
  return pool != NULL && pool->global;
}

// How many vectors of an image a value has, whatever the image's size; or 0.
int Vectors(const Graph& graph, const Value* value) {
  Op* made = graph.Producer(value);
  if (IsGlobalPool(made)) {
    return 1;
  }
  const Concat* concat = As<Concat>(made);
  if (concat == NULL || concat->axis != 2 ||
      !std::all_of(concat->inputs.begin(), concat->inputs.end(),
                   [&](const Value* input) {
        return IsGlobalPool(graph.Producer(input));
      })) {
    return 0;
  }
  return concat->inputs.size();
}

Convolution* Product(Op* op) {
  Convolution* product = As<Convolution>(op);
  return product != NULL && Bottleneck::Fits(*product) ? product : NULL;
}

// The only user of an op's only output; noted among the parts.
Op* Next(const Graph& graph, const Op* op, std::vector<Op*>* parts) {
  Op* next = graph.OnlyUser(op->outputs[0]);
  if (next != NULL) { parts->push_back(next); }
  return next;
}

// What adds up an op's vectors, behind a Slice, or NULL.
Op* SumOfVectors(const Graph& graph, Op* op, size_t vectors,
                 std::vector<Op*>* parts) {
  const Slice* slice = As<Slice>(Next(graph, op, parts));
  if (slice == NULL || slice->axis != 2 || slice->outputs.size() != vectors) {
    return NULL;
  }
  Sum* sum = As<Sum>(Next(graph, slice, parts));
  const bool all = sum != NULL && !sum->relu &&
      sum->coefficients == std::vector<float>(vectors, 1) &&
      std::is_permutation(sum->inputs.begin(), sum->inputs.end(),
                          slice->outputs.begin(), slice->outputs.end());
  return all ? sum : NULL;
}

}  // namespace

void FuseExcitation(Graph* graph) {
  for (Op* op : graph->Snapshot()) {
    if (graph->Find(op) == graph->End()) {
      continue;  // removed meanwhile
    }
    const Convolution* reduce = Product(op);
    const int vectors = reduce ? Vectors(*graph, reduce->inputs[0]) : 0;
    if (vectors == 0) {
      continue;
    }
    std::vector<Op*> parts = {op};
    Convolution* expand = Product(Next(*graph, reduce, &parts));
    if (expand == NULL || expand->relu) {
      continue;
    }
    Op* last = vectors == 1 ? expand :
        SumOfVectors(*graph, expand, vectors, &parts);
    if (last == NULL || As<Sigmoid>(Next(*graph, last, &parts)) == NULL) {
      continue;
    }
    std::unique_ptr<Excitation> fused(new Excitation);
    fused->gate = Bottleneck(*reduce, *expand);
    fused->inputs = reduce->inputs;
    fused->outputs = parts.back()->outputs;
    for (const Op* part : parts) {
      fused->layers.insert(fused->layers.end(), part->layers.begin(),
                           part->layers.end());
    }
    graph->Insert(graph->Find(parts.back()), std::move(fused));
    for (const Op* part : parts) { graph->Remove(part); }
  }
}

}  // namespace engine
}  // namespace caffe
