#ifndef CAFFE_ENGINE_PASSES_IN_FORM_HPP_
#define CAFFE_ENGINE_PASSES_IN_FORM_HPP_

#include <map>
#include <memory>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief A value in a layout and type; where it is not in both, what a T before
///        `place` makes of it, once for all who want it so.
template <typename T>
Value* InForm(Graph* graph, Graph::Place place, Value* value, bool channels_last,
              Type type, std::map<Value*, Value*>* made) {
  if (value->channels_last == channels_last && value->type == type) {
    return value;
  }
  Value*& other = (*made)[value];
  if (other == NULL) {
    other = graph->AddValue(value->name, value->shape);
    other->channels_last = channels_last;
    other->type = type;
    std::unique_ptr<T> op(new T);
    op->inputs = {value};
    op->outputs = {other};
    graph->Insert(place, std::move(op));
  }
  return other;
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PASSES_IN_FORM_HPP_
