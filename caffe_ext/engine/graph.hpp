#ifndef CAFFE_ENGINE_GRAPH_HPP_
#define CAFFE_ENGINE_GRAPH_HPP_

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace caffe {
namespace engine {

class Op;
class Step;

/// @brief A value's numbers: float, BFloat16, or, on GPUs, IEEE 754's binary16.
enum class Type { F32, BF16, F16 };

/// @brief What one op computes and others read.
///
/// In memory a value of four axes is N x H x W x C where channels_last is set;
/// all others are as Caffe's blobs.
struct Value {
  std::string name;
  std::vector<int> shape;  // in Caffe's order: N x C x H x W
  bool channels_last = false;
  Type type = Type::F32;

  size_t count() const;
  size_t bytes() const { return count() * (type == Type::F32 ? 4 : 2); }
  /// @brief One position an image, and a number for each channel there.
  bool IsVector() const;
  /// @brief The sizes of the axes in the order in which they lie in memory.
  std::vector<int> MemoryShape() const;
  /// @brief The place there of one of Caffe's axes.
  int MemoryAxis(int axis) const;
  /// @brief The same memory means the same in both layouts.
  bool LayoutsCoincide() const;
  /// @brief Neighbouring numbers are of neighbouring channels.
  bool ChannelsNeighbour() const;
};

/**
 * @brief A computation of the graph: what passes rewrite and, once shapes are
 *        known, steps carry out.
 */
class Op {
 public:
  virtual ~Op() {}
  virtual const char* kind() const = 0;
  /// @brief Sets the outputs' shapes from the inputs'; throws caffe::Error.
  virtual void InferShapes() = 0;
  /// @brief Whether values of four axes come and go with the channels last.
  virtual bool ChannelsLast() const { return true; }
  /// @brief In programs of bf16, whether it computes in the type that its first
  ///        input has, whichever that is.
  virtual bool AnyType() const { return false; }
  /// @brief The type in which it takes inputs[i] then.
  virtual Type InputType(int i) const { return FirstType(); }
  /// @brief The type of its outputs[i] then.
  virtual Type OutputType(int i) const { return FirstType(); }
  /// @brief The input whose memory the output takes, where nobody needs it any
  ///        longer; or -1.
  virtual int InPlaceOf() const { return -1; }
  /// @brief The output is the input's memory under another shape.
  virtual bool IsView() const { return false; }
  /// @brief For the shapes that stand in the values now.
  virtual std::unique_ptr<Step> MakeStep() = 0;
  /// @brief Multiply-adds at these shapes, where they are worth counting.
  virtual double MultiplyAdds() const { return 0; }

  std::vector<std::string> layers;  // the Caffe layers that it stands for
  std::vector<Value*> inputs, outputs;

 private:
  Type FirstType() const { return AnyType() ? inputs[0]->type : Type::F32; }
};

/// @brief Ops in the order in which they run.
class Graph {
 public:
  typedef std::list<std::unique_ptr<Op> >::iterator Place;

  Value* AddValue(const std::string& name, const std::vector<int>& shape);
  Op* Add(std::unique_ptr<Op> op) { return Insert(ops_.end(), std::move(op)); }
  Op* Insert(Place before, std::unique_ptr<Op> op);
  void Remove(const Op* op);
  void MoveBefore(const Op* op, const Op* other);
  Place Find(const Op* op);
  Place End() { return ops_.end(); }

  /// @brief The op that makes a value, or NULL for the graph's inputs.
  Op* Producer(const Value* value) const;
  std::vector<Op*> Users(const Value* value) const;
  /// @brief The only op that reads a value; NULL where others, or the graph's
  ///        outputs, do too.
  Op* OnlyUser(const Value* value) const;
  bool IsOutput(const Value* value) const;
  void ReplaceUses(Value* from, Value* to);

  const std::list<std::unique_ptr<Op> >& ops() const { return ops_; }
  /// @brief The ops as they stand now, for passes that change them meanwhile.
  std::vector<Op*> Snapshot() const;

  std::vector<Value*> inputs, outputs;

 private:
  std::vector<std::unique_ptr<Value> > values_;
  std::list<std::unique_ptr<Op> > ops_;
};

/// @brief op as a T, or NULL.
template <typename T>
T* As(Op* op) { return dynamic_cast<T*>(op); }

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GRAPH_HPP_
