#ifndef CAFFE_ENGINE_GPU_GEMM_HPP_
#define CAFFE_ENGINE_GPU_GEMM_HPP_

#include <cublasLt.h>

#include "engine/gpu/gpu.hpp"

namespace caffe {
namespace engine {

/// @brief d = relu(a w^T + bias + c), by cuBLASLt (cublasLtMatmul): a is m x k, w
///        n x k, bias n, c and d m x n, all row after row; relu and c if wanted.
class Gemm {
 public:
  /// @brief c's and d's type, and the bias's, is `out`; a's and w's is `in`.
  struct Shape {
    int m, n, k;
    Type in, out;
    bool relu, sum;
  };
  /// @brief Of what cuBLASLt proposes, the fastest here: tried once for a shape.
  ///        Its first proposal, where the GPU has no memory to try them in.
  Gemm(const Shape& shape, Gpu* gpu);

  /// @brief c may be d; null where there is none.
  void Run(const void* a, const void* w, const void* bias, const void* c,
           void* d);

 private:
  Gemm(const Gemm&);
  Gemm& operator=(const Gemm&);

  cublasStatus_t Multiply(const cublasLtMatmulAlgo_t& algorithm, const void* a,
                          const void* w, const void* c, void* d);
  bool Choose();  // whether by trial

  const Shape shape_;
  Gpu* const gpu_;
  Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> product_;
  Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> a_, w_, d_;
  cublasLtMatmulAlgo_t algorithm_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GEMM_HPP_
