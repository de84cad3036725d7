#ifndef CAFFE_ENGINE_LINEAR_STEP_HPP_
#define CAFFE_ENGINE_LINEAR_STEP_HPP_

#include <string>
#include <unordered_map>
#include <vector>

#include "engine/packed_weights.hpp"
#include "engine/step.hpp"
#include "oneapi/dnnl/dnnl.hpp"

namespace caffe {
namespace engine {

/// @brief oneDNN's convolution or inner product: a source, weights, a bias, and a
///        target that may hold a summand before.
class LinearStep : public Step {
 public:
  /**
   * @param chosen what `primitive` was made of
   * @param residual whether a second input is added to the target
   */
  LinearStep(const dnnl::primitive& primitive,
             const dnnl::primitive_desc_base& chosen, PackedWeights* weights,
             const std::vector<float>& bias, bool residual);

  virtual void Run(const Buffers& buffers);
  virtual size_t ScratchFloats() const;
  virtual bool Shares() const { return false; }
  virtual std::string Implementation() const { return implementation_; }

 private:
  dnnl::primitive primitive_;
  const std::string implementation_;
  const bool residual_;
  dnnl::memory source_, target_, scratchpad_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// @brief What such a primitive does besides: adds to its target, applies ReLU; and
///        leaves its scratchpad to the caller.
dnnl::primitive_attr LinearAttributes(bool residual, bool relu,
                                      float negative_slope);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_LINEAR_STEP_HPP_
