#include "engine/gpu/gemm.hpp"

#include <map>
#include <mutex>
#include <sstream>
#include <tuple>
#include <vector>

#include "engine/gpu/positions.hpp"

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
std::map<Key, GemmChoice>& Chosen() {
  static std::map<Key, GemmChoice> chosen;
  return chosen;
}

template <typename T>
void Set(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t what,
    const T& value) {
  CUBLASLT_CHECK(cublasLtMatmulDescSetAttribute(product, what, &value,
                                                sizeof(value)));
}

size_t Bytes(size_t rows, size_t columns, Type type) {
  return rows * columns * (type == Type::F32 ? 4 : 2);
}

}  // namespace

Gemm::Gemm(const Shape& shape, Gpu* gpu) : shape_(shape), gpu_(gpu) {
  CUBLASLT_CHECK(cublasLtMatmulDescCreate(&product_, ComputeType(gpu->tf32()),
                                          CUDA_R_32F));
  // Column after column, as cuBLAS has them: d^T = w a^T.
  Set(product_, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  Set(product_, CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  Set(product_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, DataType(shape.out));
  const void* no_bias_yet = gpu->workspace();  // for the heuristics to see one
  Set(product_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, no_bias_yet);
  CUBLASLT_CHECK(cublasLtMatrixLayoutCreate(&w_, DataType(shape.in), shape.k,
                                            shape.n, shape.k));
  CUBLASLT_CHECK(cublasLtMatrixLayoutCreate(&a_, DataType(shape.in), shape.k,
                                            shape.m, shape.k));
  CUBLASLT_CHECK(cublasLtMatrixLayoutCreate(&d_, DataType(shape.out), shape.n,
                                            shape.m, shape.n));
  int device;
  CUDA_CHECK(cudaGetDevice(&device));
  const Key key(device, shape.m, shape.n, shape.k, shape.in, shape.out,
                shape.slope == 0, shape.sum, gpu->tf32());
  const std::lock_guard<std::mutex> lock(ChosenMutex());
  const auto found = Chosen().find(key);
  if (found != Chosen().end()) {
    choice_ = found->second;
    SetEpilogue(choice_.relu);
  } else if (Choose()) {
    Chosen()[key] = choice_;
  }
}

void Gemm::SetEpilogue(bool relu) {
  Set(product_, CUBLASLT_MATMUL_DESC_EPILOGUE,
      relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
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
  Set(product_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  CUBLASLT_CHECK(Multiply(choice_.algorithm, a, w, c, d));
  if (shape_.slope != 1 && !choice_.relu) {
    LeakyReLU(shape_.slope, shape_.out, static_cast<size_t>(shape_.m) * shape_.n,
              d, gpu_->stream());
  }
}

std::vector<cublasLtMatmulHeuristicResult_t> Gemm::Proposals() {
  Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
  CUBLASLT_CHECK(cublasLtMatmulPreferenceCreate(&preference));
  const size_t workspace = Gpu::kWorkspace;
  cublasLtMatmulPreferenceSetAttribute(preference,
      CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof(workspace));
  std::vector<cublasLtMatmulHeuristicResult_t> proposals(16);
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(gpu_->blas(),
      product_, w_, a_, d_, d_, preference, proposals.size(), proposals.data(),
      &count);
  proposals.resize(status == CUBLAS_STATUS_SUCCESS ? count : 0);
  return proposals;
}

bool Gemm::Choose() {
  const auto room = [&](size_t rows, size_t columns, Type type, int byte) {
    const size_t bytes = Bytes(rows, columns, type);
    const std::shared_ptr<char> memory = gpu_->Allocate(bytes);
    if (memory) {
      CUDA_CHECK(cudaMemsetAsync(memory.get(), byte, bytes, gpu_->stream()));
    }
    return memory;
  };
  const auto a = room(shape_.m, shape_.k, shape_.in, 0xff);  // NaN
  const auto w = room(shape_.n, shape_.k, shape_.in, 0x3c);
  const auto d = room(shape_.m, shape_.n, shape_.out, 0x3c);
  if (!a || !w || !d) {
    SetEpilogue(false);
    const auto proposals = Proposals();
    CHECK(!proposals.empty()) << "cuBLASLt proposes nothing for " << Text();
    choice_ = {proposals[0].algo, false};
    return false;
  }
  if (shape_.slope != 0 || !Try(true, a.get(), w.get(), d.get())) {
    CHECK(Try(false, a.get(), w.get(), d.get()))
        << "cuBLASLt runs nothing that it proposes for " << Text();
  }
  return true;
}

std::string Gemm::Text() const {
  std::ostringstream text;
  text << "a product of " << shape_.m << " x " << shape_.k << " and "
       << shape_.n << " x " << shape_.k;
  return text.str();
}

bool Gemm::Try(bool relu, const void* a, const void* w, char* d) {
  SetEpilogue(relu);
  double least = -1;
  for (const cublasLtMatmulHeuristicResult_t& proposal : Proposals()) {
    const auto multiply = [&] { return Multiply(proposal.algo, a, w, d, d); };
    if (multiply() != CUBLAS_STATUS_SUCCESS || (relu && !IsNaN(d))) {
      continue;
    }
    const double time = gpu_->Milliseconds([&] { multiply(); });
    if (least < 0 || time < least) {
      least = time;
      choice_ = {proposal.algo, relu};
    }
  }
  return least >= 0;
}

bool Gemm::IsNaN(const char* d) {
  const size_t all = Bytes(shape_.m, shape_.n, shape_.out);
  const int infinity = shape_.out == Type::F16 ? 0x7c00 : 0x7f80;
  for (const size_t end : {Bytes(1, 1, shape_.out), all}) {
    uint16_t bits;  // of a float, the upper half, which is bf16
    CUDA_CHECK(cudaMemcpyAsync(&bits, d + end - sizeof(bits), sizeof(bits),
                               cudaMemcpyDeviceToHost, gpu_->stream()));
    CUDA_CHECK(cudaStreamSynchronize(gpu_->stream()));
    if ((bits & 0x7fff) <= infinity) { return false; }
  }
  return true;
}

}  // namespace engine
}  // namespace caffe
