#ifndef CAFFE_ENGINE_OPS_EXCITATION_HPP_
#define CAFFE_ENGINE_OPS_EXCITATION_HPP_

#include <memory>

#include "engine/graph.hpp"
#include "engine/kernels/bottleneck.hpp"

namespace caffe {
namespace engine {

/**
 * @brief The channels' gate of squeeze and excitation (Squeeze-and-Excitation
 *        Networks, section 3.2): the logistic function of what a bottleneck makes
 *        of the input's vectors, one or, added up, several (CBAM, equation 2).
 *
 * inputs: N x C x vectors x 1. outputs: N x outputs x 1 x 1.
 */
struct Excitation : public Op {
  virtual const char* kind() const { return "Excitation"; }
  virtual void InferShapes();
  virtual std::unique_ptr<Step> MakeStep();
  virtual double MultiplyAdds() const {
    return inputs[0]->shape[0] * inputs[0]->shape[2] * gate.multiply_adds();
  }

  Bottleneck gate;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_EXCITATION_HPP_
