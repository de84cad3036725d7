#ifndef CAFFE_ENGINE_OPS_ELTWISE_HPP_
#define CAFFE_ENGINE_OPS_ELTWISE_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief activation(c0 x0 + c1 x1 + ...), all of one shape.
struct Sum : public Op {
  virtual const char* kind() const { return "Sum"; }
  virtual void InferShapes();
  virtual int InPlaceOf() const { return 0; }
  virtual bool AnyType() const { return true; }
  virtual std::unique_ptr<Step> MakeStep();

  /// @brief Of two different values, as they are: what others can do besides.
  bool AddsTwo() const {
    return inputs.size() == 2 && inputs[0] != inputs[1] &&
        coefficients == std::vector<float>(2, 1);
  }

  std::vector<float> coefficients;
  bool relu = false;
  float negative_slope = 0;
};

/// @brief activation(gate * x [+ y]). inputs: x, gate, [y].
///
/// The gate has a factor for each image and channel, as in SENet's Axpy and
/// Scale of two bottoms; or x's axes, some of either 1, as in BroadcastProduct.
struct Gate : public Op {
  virtual const char* kind() const { return "Gate"; }
  virtual void InferShapes();
  virtual int InPlaceOf() const { return 0; }
  virtual bool AnyType() const { return true; }
  virtual Type InputType(int i) const {
    return i == 1 ? Type::F32 : inputs[0]->type;
  }
  virtual std::unique_ptr<Step> MakeStep();

  /// @brief A factor for each image and channel.
  bool PerChannel() const;

  bool relu = false;
  float negative_slope = 0;
};

/// @brief A logistic function of each value.
struct Sigmoid : public Op {
  virtual const char* kind() const { return "Sigmoid"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[0]->shape; }
  virtual int InPlaceOf() const { return 0; }
  virtual std::unique_ptr<Step> MakeStep();
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_ELTWISE_HPP_
