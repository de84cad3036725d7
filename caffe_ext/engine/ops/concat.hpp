#ifndef CAFFE_ENGINE_OPS_CONCAT_HPP_
#define CAFFE_ENGINE_OPS_CONCAT_HPP_

#include <memory>
#include <vector>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief The inputs one after the other along an axis. Copied: of arrays that are
///        parts of wider ones, oneDNN has but its reference.
struct Concat : public Op {
  virtual const char* kind() const { return "Concat"; }
  virtual void InferShapes();
  virtual bool AnyType() const { return true; }
  virtual std::unique_ptr<Step> MakeStep();

  int axis = 1;
};

/// @brief What lies along an axis from points[i - 1] to points[i], an output
///        each.
struct Slice : public Op {
  virtual const char* kind() const { return "Slice"; }
  virtual void InferShapes();
  virtual bool AnyType() const { return true; }
  virtual std::unique_ptr<Step> MakeStep();

  int axis = 1;
  std::vector<int> points;  // empty: equal shares
};

/// @brief The inputs' channels in turns, as ShuffleNet shuffles them: of k inputs
///        the output's channel c * k + i is channel c of inputs[i].
struct Interleave : public Op {
  virtual const char* kind() const { return "Interleave"; }
  virtual void InferShapes();
  virtual bool AnyType() const { return true; }
  virtual std::unique_ptr<Step> MakeStep();
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_OPS_CONCAT_HPP_
