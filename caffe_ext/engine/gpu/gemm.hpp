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
  Gemm(const Shape& shape, Gpu* gpu);
  ~Gemm();

  /// @brief c may be d; null where there is none.
  void Run(const void* a, const void* w, const void* bias, const void* c,
           void* d);

 private:
  Gemm(const Gemm&);
  Gemm& operator=(const Gemm&);

  cublasStatus_t Multiply(const cublasLtMatmulAlgo_t& algorithm, const void* a,
                          const void* w, const void* c, void* d);
  void Choose();

  const Shape shape_;
  Gpu* const gpu_;
  cublasLtMatmulDesc_t product_ = NULL;
  cublasLtMatrixLayout_t a_ = NULL, w_ = NULL, d_ = NULL;
  cublasLtMatmulAlgo_t algorithm_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_GEMM_HPP_
