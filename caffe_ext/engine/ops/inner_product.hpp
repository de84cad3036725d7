#ifndef CAFFE_ENGINE_OPS_INNER_PRODUCT_HPP_
#define CAFFE_ENGINE_OPS_INNER_PRODUCT_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"
#include "engine/packed_weights.hpp"

namespace caffe {
namespace engine {

/// @brief activation(weights * x + bias) of what follows the first axis.
struct InnerProduct : public Op {
  virtual const char* kind() const { return "InnerProduct"; }
  virtual void InferShapes();
  virtual bool ChannelsLast() const { return false; }
  virtual Type InputType(int i) const;
  virtual std::unique_ptr<Step> MakeStep();
  virtual double MultiplyAdds() const {
    return static_cast<double>(inputs[0]->shape[0]) * weights->count;
  }

  int num_output;
  std::shared_ptr<PackedWeights> weights;  // num_output x values of an image
  std::vector<float> bias;  // num_output
  bool relu = false;
  float negative_slope = 0;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_INNER_PRODUCT_HPP_
