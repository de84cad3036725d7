#ifndef CAFFE_ENGINE_DEVICE_HPP_
#define CAFFE_ENGINE_DEVICE_HPP_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "caffe/blob.hpp"
#include "engine/graph.hpp"
#include "engine/step.hpp"

namespace caffe {
namespace engine {

struct Convolution;

/// @brief Where a program runs: what it can do there, and how.
class Device {
 public:
  virtual ~Device() {}
  /// @brief Does what a program has to do there; all below is called within.
  virtual void Do(const std::function<void()>& work) = 0;

  /// @brief Whether it has a kernel for such a branch of an SK unit.
  virtual bool HasKernel(const Convolution& op) const = 0;
  /// @brief Whether values between layers are of a shorter type than float.
  virtual bool Shortens() const = 0;
  /// @brief The types then of op's inputs[i] and outputs[i], once those of the
  ///        values before it stand.
  virtual Type InputType(const Op& op, int i) const = 0;
  virtual Type OutputType(const Op& op, int i) const = 0;

  virtual std::unique_ptr<Step> MakeStep(Op* op) = 0;
  /// @brief At a multiple of kAlignment, or null.
  virtual std::shared_ptr<char> Allocate(size_t bytes) = 0;
  /// @brief A blob's values in the device's memory.
  virtual const float* Values(const Blob<float>& blob) = 0;
  virtual void Copy(const float* from, Blob<float>* to) = 0;
  /// @brief Runs steps that Share, one after the other.
  virtual void Gather(const std::function<void()>& steps) { steps(); }
  /// @brief Runs a plan's steps; or again what `recording` holds of them. Null:
  ///        they cannot be recorded.
  virtual void Run(const std::function<void()>& steps,
                   std::shared_ptr<void>* recording) = 0;
  /// @brief How long it takes.
  virtual double Milliseconds(const std::function<void()>& run) = 0;
};

/// @param threads how many; 0: OpenMP's number by now
/// @param precision f32 or bf16
std::unique_ptr<Device> MakeCpu(int threads, const std::string& precision);
/// @brief Caffe's device. precision: f32, tf32, bf16 or f16.
std::unique_ptr<Device> MakeGpu(const std::string& precision);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_DEVICE_HPP_
