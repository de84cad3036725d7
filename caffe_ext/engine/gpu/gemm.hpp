#ifndef CAFFE_ENGINE_GPU_GEMM_HPP_
#define CAFFE_ENGINE_GPU_GEMM_HPP_

#include <cublasLt.h>

#include <string>
#include <vector>

#include "engine/gpu/gpu.hpp"

namespace caffe {
namespace engine {

struct GemmChoice {
  cublasLtMatmulAlgo_t algorithm;
  bool relu;  // in its epilogue; else what ReLU there is has a kernel of its own
};

/// @brief d = relu(a w^T + bias + c), by cuBLASLt (cublasLtMatmul): a is m x k, w
///        n x k, bias n, c and d m x n, all row after row; c if wanted. NaN stays NaN.
class Gemm {
 public:
  /// @brief c's and d's type, and the bias's, is `out`; a's and w's is `in`.
  struct Shape {
    int m, n, k;
    Type in, out;
    float slope;  // of ReLU, where a value is negative; 1: none
    bool sum;     // with c
  };
  /// @brief Of what cuBLASLt proposes, the fastest here: tried once for a shape.
  ///        Its first proposal, where the GPU has no memory to try them in.
  ///
  /// In the ReLU of some of its algorithms NaN becomes 0. They are not taken; if all
  /// are such, ReLU is a kernel of its own.
  Gemm(const Shape& shape, Gpu* gpu);

  /// @brief c may be d; null where there is none.
  void Run(const void* a, const void* w, const void* bias, const void* c,
           void* d);

 private:
  Gemm(const Gemm&);
  Gemm& operator=(const Gemm&);

  cublasStatus_t Multiply(const cublasLtMatmulAlgo_t& algorithm, const void* a,
                          const void* w, const void* c, void* d);
  void SetEpilogue(bool relu);
  std::vector<cublasLtMatmulHeuristicResult_t> Proposals();
  bool Choose();  // whether by trial
  std::string Text() const;
  bool Try(bool relu, const void* a, const void* w, char* d);
  bool IsNaN(const char* d);  // its first number, and its last

  const Shape shape_;
  Gpu* const gpu_;
  Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> product_;
  Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> a_, w_, d_;
  GemmChoice choice_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GEMM_HPP_
