#include "engine/gpu/gemm.hpp"

#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#define CUBLASLT_CHECK(call) \
  do { \
    const cublasStatus_t status = call; \
    CHECK_EQ(status, CUBLAS_STATUS_SUCCESS) << "cuBLASLt: " \
        << cublasLtGetStatusString(status); \
  } while (0)

namespace caffe {
namespace engine {

namespace {

cudaDataType_t DataType(Type type) {
  return type == Type::F16 ? CUDA_R_16F : type == Type::BF16 ? CUDA_R_16BF :
      CUDA_R_32F;
}

cublasComputeType_t ComputeType(bool tf32) {
  return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

// What was found best in this process.
typedef std::tuple<int, int, int, int, Type, Type, bool, bool, bool> Key;
std::mutex& ChosenMutex() {
  static std::mutex mutex;
  return mutex;
}
std::map<Key, cublasLtMatmulAlgo_t>& Chosen() {
  static std::map<Key, cublasLtMatmulAlgo_t> chosen;
  return chosen;
}

}  // namespace

Gemm::Gemm(const Shape& shape, Gpu* gpu) : shape_(shape), gpu_(gpu) {
  CUBLASLT_CHECK(cublasLtMatmulDescCreate(&product_, ComputeType(gpu->tf32()),
                                          CUDA_R_32F));
  const auto set = [&](cublasLtMatmulDescAttributes_t what, const auto& value) {
    CUBLASLT_CHECK(cublasLtMatmulDescSetAttribute(product_, what, &value,
                                                  sizeof(value)));
  };
  // Column after column, as cuBLAS has them: d^T = w a^T.
  set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  set(CUBLASLT_MATMUL_DESC_EPILOGUE, shape.relu ?
      CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
  set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, DataType(shape.out));
  const void* no_bias_yet = gpu->workspace();  // for the heuristics to see one
  set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, no_bias_yet);
  CUBLASLT_CHECK(cublasLtMatrixLayoutCreate(&w_, DataType(shape.in), shape.k,
                                            shape.n, shape.k));
  CUBLASLT_CHECK(cublasLtMatrixLayoutCreate(&a_, DataType(shape.in), shape.k,
                                            shape.m, shape.k));
  CUBLASLT_CHECK(cublasLtMatrixLayoutCreate(&d_, DataType(shape.out), shape.n,
                                            shape.m, shape.n));
  int device;
  CUDA_CHECK(cudaGetDevice(&device));
  const Key key(device, shape.m, shape.n, shape.k, shape.in, shape.out,
                shape.relu, shape.sum, gpu->tf32());
  const std::lock_guard<std::mutex> lock(ChosenMutex());
  const auto found = Chosen().find(key);
  if (found != Chosen().end()) {
    algorithm_ = found->second;
  } else if (Choose()) {
    Chosen()[key] = algorithm_;
  }
}

cublasStatus_t Gemm::Multiply(const cublasLtMatmulAlgo_t& algorithm,
    const void* a, const void* w, const void* c, void* d) {
  const float one = 1, beta = shape_.sum ? 1 : 0;
  return cublasLtMatmul(gpu_->blas(), product_, &one, w, w_, a, a_, &beta,
      shape_.sum ? c : d, d_, d, d_, &algorithm, gpu_->workspace(),
      Gpu::kWorkspace, gpu_->stream());
}

void Gemm::Run(const void* a, const void* w, const void* bias, const void* c,
    void* d) {
  CUBLASLT_CHECK(cublasLtMatmulDescSetAttribute(product_,
      CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof(bias)));
  CUBLASLT_CHECK(Multiply(algorithm_, a, w, c, d));
}

bool Gemm::Choose() {
  const int kMost = 16;  // that are tried
  Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
  CUBLASLT_CHECK(cublasLtMatmulPreferenceCreate(&preference));
  const size_t workspace = Gpu::kWorkspace;
  cublasLtMatmulPreferenceSetAttribute(preference,
      CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof(workspace));
  cublasLtMatmulHeuristicResult_t proposals[kMost];
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(gpu_->blas(),
      product_, w_, a_, d_, d_, preference, kMost, proposals, &count);
  CHECK(status == CUBLAS_STATUS_SUCCESS && count > 0) << "cuBLASLt has no "
      "product of " << shape_.m << " x " << shape_.k << " and " << shape_.n
      << " x " << shape_.k;
  const auto room = [&](size_t rows, size_t columns, Type type) {
    const size_t bytes = rows * columns * (type == Type::F32 ? 4 : 2);
    const std::shared_ptr<char> memory = gpu_->Allocate(bytes);
    if (memory) {
      CUDA_CHECK(cudaMemsetAsync(memory.get(), 0x3c, bytes, gpu_->stream()));
    }
    return memory;
  };
  const auto a = room(shape_.m, shape_.k, shape_.in);
  const auto w = room(shape_.n, shape_.k, shape_.in);
  const auto d = room(shape_.m, shape_.n, shape_.out);
  if (!a || !w || !d) {
    algorithm_ = proposals[0].algo;
    return false;
  }
  double least = -1;
  for (int i = 0; i < count; ++i) {
    if (Multiply(proposals[i].algo, a.get(), w.get(), d.get(), d.get()) !=
        CUBLAS_STATUS_SUCCESS) {
      continue;
    }
    const double time = gpu_->Milliseconds([&] {
      Multiply(proposals[i].algo, a.get(), w.get(), d.get(), d.get());
    });
    if (least < 0 || time < least) {
      least = time;
      algorithm_ = proposals[i].algo;
    }
  }
  CHECK_GE(least, 0) << "cuBLASLt ran none of its own proposals";
  return true;
}

}  // namespace engine
}  // namespace caffe
