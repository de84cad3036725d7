#ifndef CAFFE_ENGINE_OPS_AFFINE_HPP_
#define CAFFE_ENGINE_OPS_AFFINE_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief activation(scale * x + shift), a scale and a shift for each channel:
///        batch norm, Scale, Bias and ReLU, alone or in a row.
struct Affine : public Op {
  virtual const char* kind() const { return "Affine"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[0]->shape; }
  virtual int InPlaceOf() const { return 0; }
  virtual bool AnyType() const { return true; }
  virtual std::unique_ptr<Step> MakeStep();

  std::vector<double> scale, shift;  // empty: 1 and 0
  bool relu = false;
  float negative_slope = 0;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_AFFINE_HPP_
