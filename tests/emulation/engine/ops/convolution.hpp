#ifndef CAFFE_ENGINE_OPS_CONVOLUTION_HPP_
#define CAFFE_ENGINE_OPS_CONVOLUTION_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

struct PackedWeights {
  const std::vector<float>& Plain() const { return values; }
  std::vector<float> values;
};

/// @brief As the engine's, without what its steps for GPUs do not ask for.
struct Convolution {
  int in_per_group() const {
    return weights->values.size() / (num_output * kernel[0] * kernel[1]);
  }
  std::vector<Value*> inputs, outputs;
  int num_output, group = 1;
  int kernel[2], stride[2], pad[2], dilation[2];
  std::shared_ptr<PackedWeights> weights;
  std::vector<float> bias;
  bool relu = false;
  float negative_slope = 0;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_CONVOLUTION_HPP_
