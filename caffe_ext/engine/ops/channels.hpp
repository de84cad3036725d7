#ifndef CAFFE_ENGINE_OPS_CHANNELS_HPP_
#define CAFFE_ENGINE_OPS_CHANNELS_HPP_

#include <memory>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief exp(x) / sum over the channels.
struct Softmax : public Op {
  virtual const char* kind() const { return "Softmax"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[0]->shape; }
  virtual int InPlaceOf() const { return 0; }
  virtual std::unique_ptr<Step> MakeStep();
};

/// @brief The maximum or mean over the channels, at each position.
struct ChannelPooling : public Op {
  virtual const char* kind() const { return "ChannelPooling"; }
  virtual void InferShapes();
  virtual std::unique_ptr<Step> MakeStep();

  bool maximum;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_CHANNELS_HPP_
