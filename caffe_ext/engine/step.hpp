#ifndef CAFFE_ENGINE_STEP_HPP_
#define CAFFE_ENGINE_STEP_HPP_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace caffe {
namespace engine {

/// @brief Where a step's values lie in memory.
struct Buffers {
  template <typename T = float>
  const T* input(int i) const { return reinterpret_cast<const T*>(inputs[i]); }
  template <typename T = float>
  T* output(int i) const { return reinterpret_cast<T*>(outputs[i]); }

  std::vector<char*> inputs, outputs;
  float* scratch;  // as much as Step::ScratchFloats says, at kAlignment
};

/// @brief An op for fixed shapes, ready to run.
class Step {
 public:
  virtual ~Step() {}
  virtual void Run(const Buffers& buffers) = 0;
  virtual size_t ScratchFloats() const { return 0; }
  /// @brief Whether all that it has several of the CPU's threads do it hands them by
  ///        parallel.hpp's functions.
  virtual bool Shares() const { return true; }
  /// @brief Whether a GPU's work of it is the same each time, and its own alone.
  virtual bool Recordable() const { return true; }
  /// @brief What carries it out, for Program::Explain.
  virtual std::string Implementation() const { return "own"; }
};

/// @brief A step that is a function and nothing more.
class FunctionStep : public Step {
 public:
  explicit FunctionStep(std::function<void(const Buffers&)> run)
      : run_(std::move(run)) {}
  virtual void Run(const Buffers& buffers) { run_(buffers); }

 private:
  std::function<void(const Buffers&)> run_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_STEP_HPP_
