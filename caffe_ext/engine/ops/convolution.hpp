#ifndef CAFFE_ENGINE_OPS_CONVOLUTION_HPP_
#define CAFFE_ENGINE_OPS_CONVOLUTION_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"
#include "engine/packed_weights.hpp"

namespace caffe {
namespace engine {

/// @brief activation(convolution(inputs[0]) + bias [+ inputs[1]]), in two
///        dimensions.
struct Convolution : public Op {
  virtual const char* kind() const { return "Convolution"; }
  virtual void InferShapes();
  virtual int InPlaceOf() const { return inputs.size() > 1 ? 1 : -1; }
  virtual Type InputType(int i) const { return OutputType(0); }
  virtual Type OutputType(int i) const;
  virtual std::unique_ptr<Step> MakeStep();
  virtual double MultiplyAdds() const;

  int in_per_group() const { return weights->count / (num_output * kernel[0] *
                                                      kernel[1]); }

  int num_output, group = 1;
  int kernel[2], stride[2], pad[2], dilation[2];  // height, width
  std::shared_ptr<PackedWeights> weights;  // num_output x in / group x h x w
  std::vector<float> bias;  // num_output
  bool relu = false;
  float negative_slope = 0;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_CONVOLUTION_HPP_
