#include "engine/graph.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace caffe {
namespace engine {

size_t Value::count() const {
  return std::accumulate(shape.begin(), shape.end(), size_t(1),
                         std::multiplies<size_t>());
}

bool Value::IsVector() const {
  return shape.size() > 1 && count() == static_cast<size_t>(shape[0]) * shape[1];
}

std::vector<int> Value::MemoryShape() const {
  std::vector<int> sizes(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) { sizes[MemoryAxis(i)] = shape[i]; }
  return sizes;
}

int Value::MemoryAxis(int axis) const {
  const bool last = channels_last && shape.size() == 4;
  return !last || axis == 0 ? axis : axis == 1 ? 3 : axis - 1;
}

bool Value::LayoutsCoincide() const {
  return shape.size() != 4 || shape[1] == 1 || shape[2] * shape[3] == 1;
}

bool Value::ChannelsNeighbour() const {
  return channels_last || IsVector();
}

Value* Graph::AddValue(const std::string& name,
    const std::vector<int>& shape) {
  values_.emplace_back(new Value);
  values_.back()->name = name;
  values_.back()->shape = shape;
  return values_.back().get();
}

Op* Graph::Insert(Place before, std::unique_ptr<Op> op) {
  return ops_.insert(before, std::move(op))->get();
}

Graph::Place Graph::Find(const Op* op) {
  return std::find_if(ops_.begin(), ops_.end(),
      [op](const std::unique_ptr<Op>& other) { return other.get() == op; });
}

void Graph::MoveBefore(const Op* op, const Op* other) {
  ops_.splice(Find(other), ops_, Find(op));
}

void Graph::Remove(const Op* op) { ops_.erase(Find(op)); }

Op* Graph::Producer(const Value* value) const {
  for (const auto& op : ops_) {
    if (std::count(op->outputs.begin(), op->outputs.end(), value)) {
      return op.get();
    }
  }
  return NULL;
}

std::vector<Op*> Graph::Users(const Value* value) const {
  std::vector<Op*> users;
  for (const auto& op : ops_) {
    if (std::count(op->inputs.begin(), op->inputs.end(), value)) {
      users.push_back(op.get());
    }
  }
  return users;
}

Op* Graph::OnlyUser(const Value* value) const {
  const std::vector<Op*> users = Users(value);
  return users.size() == 1 && !IsOutput(value) ? users[0] : NULL;
}

bool Graph::IsOutput(const Value* value) const {
  return std::count(outputs.begin(), outputs.end(), value) > 0;
}

void Graph::ReplaceUses(Value* from, Value* to) {
  for (const auto& op : ops_) {
    std::replace(op->inputs.begin(), op->inputs.end(), from, to);
  }
  std::replace(outputs.begin(), outputs.end(), from, to);
}

std::vector<Op*> Graph::Snapshot() const {
  std::vector<Op*> ops;
  for (const auto& op : ops_) {
    ops.push_back(op.get());
  }
  return ops;
}

}  // namespace engine
}  // namespace caffe
