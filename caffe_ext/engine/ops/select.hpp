#ifndef CAFFE_ENGINE_OPS_SELECT_HPP_
#define CAFFE_ENGINE_OPS_SELECT_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"
#include "engine/kernels/bottleneck.hpp"
#include "engine/ops/convolution.hpp"

namespace caffe {
namespace engine {

/**
 * @brief Grouped convolutions of one input and the mean of their sum: what an SK
 *        unit's split and fuse read and write, in one go.
 *
 * inputs: x. outputs: each branch's, and N x C x 1 x 1.
 */
struct Branches : public Op {
  virtual const char* kind() const { return "Branches"; }
  virtual void InferShapes();
  virtual Type InputType(int i) const { return Type::BF16; }
  virtual Type OutputType(int i) const {
    return i + 1 < static_cast<int>(outputs.size()) ? Type::BF16 : Type::F32;
  }
  virtual std::unique_ptr<Step> MakeStep();
  virtual double MultiplyAdds() const;

  std::vector<std::unique_ptr<Convolution> > branches;
};

/**
 * @brief An SK unit's selection (Selective Kernel Networks, section 3.1): the sum
 *        of the branches, each channel weighted by
 *        softmax over branches(expand * relu(reduce * mean)).
 *
 * inputs: mean, N x C x 1 x 1; each branch, N x C x H x W.
 */
struct Select : public Op {
  virtual const char* kind() const { return "Select"; }
  virtual void InferShapes() { outputs[0]->shape = inputs[1]->shape; }
  virtual int InPlaceOf() const { return 1; }
  virtual Type InputType(int i) const { return i ? Type::BF16 : Type::F32; }
  virtual Type OutputType(int i) const { return Type::BF16; }
  virtual std::unique_ptr<Step> MakeStep();
  virtual double MultiplyAdds() const {
    return inputs[0]->shape[0] * attention.multiply_adds();
  }

  Bottleneck attention;  // its outputs: branches x C
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_SELECT_HPP_
