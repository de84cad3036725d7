#ifndef CAFFE_ENGINE_OPS_LAYOUT_HPP_
#define CAFFE_ENGINE_OPS_LAYOUT_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief The same numbers in the other layout.
struct Reorder : public Op {
  virtual const char* kind() const { return "Reorder"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[0]->shape; }
  virtual int InPlaceOf() const { return IsView() ? 0 : -1; }
  virtual bool IsView() const { return inputs[0]->LayoutsCoincide(); }
  virtual bool AnyType() const { return IsView(); }
  virtual std::unique_ptr<Step> MakeStep();
};

/// @brief The same values in the other type.
struct Convert : public Op {
  virtual const char* kind() const { return "Convert"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[0]->shape; }
  virtual std::unique_ptr<Step> MakeStep();
};

/// @brief The same memory under another shape: Reshape and Flatten.
struct View : public Op {
  virtual const char* kind() const { return "View"; }
  virtual void InferShapes();
  virtual bool ChannelsLast() const { return false; }
  virtual int InPlaceOf() const { return 0; }
  virtual bool AnyType() const { return true; }
  virtual bool IsView() const { return true; }
  virtual std::unique_ptr<Step> MakeStep();

  /// @brief As in ReshapeParameter: replaces axes from `axis` on, num_axes of
  ///        them (-1: all); 0 copies a dimension, -1 takes what is left.
  std::vector<int> dims;
  int axis = 0, num_axes = -1;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_LAYOUT_HPP_
