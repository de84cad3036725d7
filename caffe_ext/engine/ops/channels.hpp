#ifndef CAFFE_ENGINE_OPS_CHANNELS_HPP_
#define CAFFE_ENGINE_OPS_CHANNELS_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief The inputs' channels one after the other.
struct Concat : public Op {
  virtual const char* kind() const { return "Concat"; }
  virtual void InferShapes();
  virtual std::unique_ptr<Step> MakeStep();
};

/// @brief The channels from points[i - 1] to points[i], an output each.
struct Slice : public Op {
  virtual const char* kind() const { return "Slice"; }
  virtual void InferShapes();
  virtual std::unique_ptr<Step> MakeStep();

  std::vector<int> points;  // empty: equal shares
};

/// @brief exp(x) / sum over the channels.
struct Softmax : public Op {
  virtual const char* kind() const { return "Softmax"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[0]->shape; }
  virtual int InPlaceOf() const { return 0; }
  virtual std::unique_ptr<Step> MakeStep();
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_CHANNELS_HPP_
