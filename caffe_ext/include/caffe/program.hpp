#ifndef CAFFE_PROGRAM_HPP_
#define CAFFE_PROGRAM_HPP_

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "caffe/net.hpp"

namespace caffe {

namespace engine {
class Device;
class Graph;
class Plan;
}  // namespace engine

/// @brief A step of a program, as Program::Explain tells it.
struct StepInfo {
  std::string kind, implementation;
  std::vector<std::string> layers;  // the net's, which it stands for
  double milliseconds, gflops;  // multiply-adds count twice; 0: not counted
};

/**
 * @brief A net of phase TEST compiled for inference, on this CPU or, where it is
 *        made in Caffe's GPU mode, on Caffe's device.
 *
 * It computes what the net computes, from the weights that the net had when it
 * was compiled, and needs the net no longer. Several programs may run in several
 * threads; two threads must not run the same.
 */
class Program {
 public:
  /**
   * @param threads how many of the CPU's it runs on; 0: OpenMP's number by now
   * @param outputs names of the blobs to compute; empty: the net's outputs
   * @param precision f32; or bf16: values between layers, and the factors of
   *        products, keep 8 significant bits, their sums are float's. Inputs and
   *        outputs are float's in either. On a CPU without instructions for
   *        bf16, oneDNN's steps run in float in between, which is no faster. On
   *        GPUs, f16, which keeps 11 bits and ends at 65504; and tf32: floats,
   *        of which products take 11 bits.
   *
   * Throws caffe::Error where the CPU lacks AVX2 and FMA, the net is of phase
   * TRAIN, a name is no blob of it, or the precision is none of these.
   */
  Program(const Net<float>& net, int threads,
          const std::vector<std::string>& outputs,
          const std::string& precision = "f32");
  ~Program();

  /// @brief Computes outputs from inputs, whose shapes may have changed.
  void Forward();
  /// @brief Gives the outputs the shapes that the inputs' shapes lead to.
  void Reshape();

  const std::vector<std::string>& input_names() const { return input_names_; }
  const std::vector<std::string>& output_names() const {
    return output_names_;
  }
  const std::vector<shared_ptr<Blob<float> > >& inputs() const {
    return inputs_;
  }
  const std::vector<shared_ptr<Blob<float> > >& outputs() const {
    return outputs_;
  }

  /// @brief Runs as often as told, and gives each step's median time.
  std::vector<StepInfo> Explain(int iterations);
  /// @brief Bytes that activations and scratch take, at the present shapes.
  size_t ActivationBytes();

 private:
  Program(const Program&);
  Program& operator=(const Program&);

  engine::Plan& PlanForInputs();

  const std::unique_ptr<engine::Device> device_;
  std::unique_ptr<engine::Graph> graph_;
  // The last shapes', the latest first.
  std::list<std::unique_ptr<engine::Plan> > plans_;
  std::vector<std::string> input_names_, output_names_;
  std::vector<shared_ptr<Blob<float> > > inputs_, outputs_;
};

}  // namespace caffe

#endif  // CAFFE_PROGRAM_HPP_
