#ifndef CAFFE_ENGINE_KERNELS_PANEL_KERNEL_HPP_
#define CAFFE_ENGINE_KERNELS_PANEL_KERNEL_HPP_

#include <cstddef>

namespace caffe {
namespace engine {

/// @brief Where a matrix lies, of floats or of bf16.
struct Matrix {
  void* data;
  size_t step;  // numbers from row to row
  bool bf16;
};

/// @brief Rows of inputs times a panel of weights: of one vector of outputs, or more.
struct Multiplication {
  const float* rows;
  size_t row_step;       // from row to row
  const float* weights;  // [input][output]
  int vectors, depth;    // of outputs, of inputs
  const float* bias;     // or null
  float slope;           // of negative results; 1 leaves them as they are
  Matrix from;           // what is added; data is null where nothing is
  Matrix to;             // may be `from`
  const float* next;     // weights, about as many, to be fetched meanwhile
};

/// @brief A product for a kind of vectors.
struct PanelKernel {
  int lanes;   // of a vector
  int rows;    // of a tile, whose sums are in registers
  int vectors;  // of outputs, of a panel at most
  int inputs;  // in a lane: a float, or a pair of bf16, as which rows and weights come
  void (*multiply)(const Multiplication& m, int count);
};

/// @brief Of vectors of 8 floats; null where it was not compiled for such a processor.
const PanelKernel* PanelsAvx2();
/// @brief Of 16 floats.
const PanelKernel* PanelsAvx512();
/// @brief Of 16 pairs of bf16, whose sums are floats.
const PanelKernel* PanelsAvx512BF16();

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_PANEL_KERNEL_HPP_
