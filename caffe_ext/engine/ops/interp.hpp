#ifndef CAFFE_ENGINE_OPS_INTERP_HPP_
#define CAFFE_ENGINE_OPS_INTERP_HPP_

#include <memory>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief Bilinear resizing with corners aligned. inputs: x, [a value of the
///        output's height and width].
struct Interp : public Op {
  virtual const char* kind() const { return "Interp"; }
  virtual void InferShapes();
  virtual std::unique_ptr<Step> MakeStep();

  // Without a second input: a size, or, where it is 0, factors.
  int size[2] = {0, 0};  // height, width
  int zoom = 1, shrink = 1;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_INTERP_HPP_
