#ifndef CAFFE_ENGINE_OPS_POOLING_HPP_
#define CAFFE_ENGINE_OPS_POOLING_HPP_

#include <memory>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief Maximum or mean over windows, as Caffe's PoolingLayer: windows may
///        reach beyond the input, and padding counts in a mean.
struct Pooling : public Op {
  virtual const char* kind() const { return "Pooling"; }
  virtual void InferShapes();
  virtual bool AnyType() const { return true; }
  virtual Type OutputType(int i) const {
    return IsMean() ? Type::F32 : inputs[0]->type;
  }
  virtual std::unique_ptr<Step> MakeStep();

  bool IsMean() const { return global && !maximum; }

  bool global = false, maximum = true, ceil = true;
  int kernel[2], stride[2], pad[2];  // height, width
};

/// @brief The mean over height and width of all inputs' sum, N x C x 1 x 1.
struct MeanOfSum : public Op {
  virtual const char* kind() const { return "MeanOfSum"; }
  virtual void InferShapes();
  virtual bool AnyType() const { return true; }
  virtual Type OutputType(int i) const { return Type::F32; }
  virtual std::unique_ptr<Step> MakeStep();
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_POOLING_HPP_
