#include "engine/memory_plan.hpp"

#include <algorithm>

#include "engine/step.hpp"

namespace caffe {
namespace engine {

namespace {

// One piece of memory: the values that are in it, one after the other.
struct Room {
  size_t bytes, begin, end;  // first op that writes it, last that reads it
  size_t offset;
};

}  // namespace

MemoryPlan::MemoryPlan(const Graph& graph) {
  const std::vector<Op*> ops = graph.Snapshot();
  std::map<const Value*, size_t> last_use;
  for (size_t i = 0; i < ops.size(); ++i) {
    for (const Value* input : ops[i]->inputs) { last_use[input] = i; }
  }
  for (const Value* output : graph.outputs) { last_use[output] = ops.size(); }

  for (const Value* input : graph.inputs) { inputs[input] = input; }
  std::vector<Room> rooms;
  std::map<const Value*, size_t> room_of;
  for (size_t i = 0; i < ops.size(); ++i) {
    const Op& op = *ops[i];
    const int in_place = op.InPlaceOf();
    const Value* taken = in_place < 0 ? NULL : op.inputs[in_place];
    if (taken && op.IsView() && inputs.count(taken)) {
      inputs[op.outputs[0]] = inputs[taken];
      continue;
    }
    if (taken && room_of.count(taken)) {
      const size_t room = room_of[taken];
      const bool read_elsewhere = std::any_of(op.inputs.begin(),
          op.inputs.end(), [&](const Value* input) {
        return input != taken && room_of.count(input) &&
            room_of[input] == room;
      });
      const bool free = rooms[room].end <= i && !read_elsewhere &&
          std::count(op.inputs.begin(), op.inputs.end(), taken) == 1 &&
          taken->bytes() == op.outputs[0]->bytes();
      if (op.IsView() || free) {
        room_of[op.outputs[0]] = room;
        rooms[room].end = std::max(rooms[room].end,
            std::max(i, last_use[op.outputs[0]]));
        continue;
      }
    }
    for (const Value* output : op.outputs) {
      room_of[output] = rooms.size();
      const size_t size =
          (output->bytes() + kAlignment - 1) / kAlignment * kAlignment;
      rooms.push_back({size, i, std::max(i, last_use[output]), 0});
    }
  }

  // The largest first, each as low as the rooms of its time leave space.
  std::vector<Room*> order, placed;
  for (Room& room : rooms) { order.push_back(&room); }
  std::stable_sort(order.begin(), order.end(), [](Room* a, Room* b) {
    return a->bytes > b->bytes;
  });
  for (Room* room : order) {
    std::vector<const Room*> rivals;
    for (const Room* other : placed) {
      if (other->begin <= room->end && room->begin <= other->end) {
        rivals.push_back(other);
      }
    }
    std::sort(rivals.begin(), rivals.end(), [](const Room* a, const Room* b) {
      return a->offset < b->offset;
    });
    for (const Room* rival : rivals) {
      if (room->offset + room->bytes <= rival->offset) {
        break;
      }
      room->offset = std::max(room->offset, rival->offset + rival->bytes);
    }
    placed.push_back(room);
    bytes = std::max(bytes, room->offset + room->bytes);
  }
  for (const auto& value : room_of) {
    offsets[value.first] = rooms[value.second].offset;
  }
}

}  // namespace engine
}  // namespace caffe
