#include "engine/gpu/gpu.hpp"

#include "caffe/util/cudnn.hpp"
#include "engine/gpu/grouped_3x3.hpp"
#include "engine/gpu/mma.hpp"
#include "engine/gpu/number.hpp"
#include "engine/gpu/pause.hpp"
#include "engine/gpu/steps.hpp"
#include "engine/memory_plan.hpp"
#include "engine/ops/affine.hpp"
#include "engine/ops/caffe_layer.hpp"
#include "engine/ops/channels.hpp"
#include "engine/ops/concat.hpp"
#include "engine/ops/convolution.hpp"
#include "engine/ops/eltwise.hpp"
#include "engine/ops/excitation.hpp"
#include "engine/ops/inner_product.hpp"
#include "engine/ops/interp.hpp"
#include "engine/ops/layout.hpp"
#include "engine/ops/pooling.hpp"
#include "engine/ops/select.hpp"

namespace caffe {
namespace engine {

namespace {

// A plan's steps as a CUDA graph, once they have run.
typedef Owned<cudaGraphExec_t, cudaGraphExecDestroy> Recording;

// The first of Ops that op is: its step.
template <typename... Ops>
std::unique_ptr<Step> MakeStepOf(Op* op, Gpu* gpu) {
  std::unique_ptr<Step> step;
  const auto make = [&](auto* type) {
    auto* typed = dynamic_cast<decltype(type)>(op);
    return typed && (step = MakeGpuStep(*typed, gpu));
  };
  const bool made = (make(static_cast<Ops*>(NULL)) || ...);
  CHECK(made) << "no GPU step of " << op->kind();
  return step;
}

}  // namespace

Gpu::Gpu(const std::string& precision) {
  if (precision == "bf16") {
    type_ = Type::BF16;
  } else if (precision == "f16") {
    type_ = Type::F16;
  } else {
    CHECK(precision == "f32" || precision == "tf32") << "precision '"
        << precision << "'; expected f32, tf32, bf16 or f16 on a GPU";
    tf32_ = precision == "tf32";
  }
  has_mma_ = (type_ != Type::F32 || tf32_) && HasMma();
  CUDA_CHECK(cudaGetDevice(&device_));
  CUDA_CHECK(cudaDeviceGetAttribute(&multiprocessors_,
      cudaDevAttrMultiProcessorCount, device_));
  CUDA_CHECK(cudaDeviceGetAttribute(&shared_bytes_,
      cudaDevAttrMaxSharedMemoryPerBlockOptin, device_));
  CUDA_CHECK(cudaStreamCreate(&ordered_));
  CUDA_CHECK(cudaStreamCreateWithFlags(&recorder_, cudaStreamNonBlocking));
  CHECK_EQ(cublasLtCreate(&blas_), CUBLAS_STATUS_SUCCESS) << "cuBLASLt";
  CUDNN_CHECK(cudnnCreate(&dnn_));
  SetStream(ordered_);
  workspace_ = Allocate(kWorkspace);
  CHECK(workspace_) << "no GPU memory for " << kWorkspace << " bytes";
}

Gpu::~Gpu() {
  cudaStreamSynchronize(ordered_);
}

void Gpu::SetStream(cudaStream_t stream) {
  CUDNN_CHECK(cudnnSetStream(dnn_, stream));
  stream_ = stream;
}

void Gpu::Do(const std::function<void()>& work) {
  struct OnDevice {
    explicit OnDevice(int device) {
      CUDA_CHECK(cudaGetDevice(&before));
      CUDA_CHECK(cudaSetDevice(device));
    }
    ~OnDevice() { cudaSetDevice(before); }
    int before;
  } scope(device_);
  work();
}

bool Gpu::HasKernel(const Convolution& op) const {
  return FitsGpuGrouped3x3(op, *this);
}

// A Reorder changes the type, too, on its way.
Type Gpu::InputType(const Op& op, int i) const {
  if (dynamic_cast<const Convolution*>(&op) ||
      dynamic_cast<const InnerProduct*>(&op)) {
    return type_;
  }
  if (dynamic_cast<const Reorder*>(&op)) {
    return op.inputs[0]->type;
  }
  return op.InputType(i) == Type::F32 ? Type::F32 : type_;
}

Type Gpu::OutputType(const Op& op, int i) const {
  if (dynamic_cast<const Convolution*>(&op)) {
    return type_;
  }
  const Reorder* reorder = dynamic_cast<const Reorder*>(&op);
  if (reorder && !reorder->IsView()) {
    return op.outputs[0]->channels_last ? type_ : Type::F32;
  }
  return op.OutputType(i) == Type::F32 ? Type::F32 : type_;
}

std::unique_ptr<Step> Gpu::MakeStep(Op* op) {
  return MakeStepOf<Affine, Branches, CaffeLayer, ChannelPooling, Concat,
                    Convert, Convolution, Excitation, Gate, InnerProduct,
                    Interleave, Interp, MeanOfSum, Pooling, Reorder, Select,
                    Sigmoid, Slice, Softmax, Sum>(op, this);
}

std::shared_ptr<char> Gpu::Allocate(size_t bytes) {
  void* memory = NULL;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // which would be told again otherwise
    return nullptr;
  }
  CUDA_CHECK(status);
  return std::shared_ptr<char>(static_cast<char*>(memory), cudaFree);
}

void Gpu::Copy(const float* from, Blob<float>* to) {
  CUDA_CHECK(cudaMemcpyAsync(to->mutable_gpu_data(), from,
      to->count() * sizeof(float), cudaMemcpyDeviceToDevice, stream_));
}

void Gpu::Run(const std::function<void()>& steps,
    std::shared_ptr<void>* recording) {
  if (recording == NULL) {
    steps();
    return;
  }
  if (!*recording) {
    steps();
    *recording = std::make_shared<Recording>();
    return;
  }
  Recording& recorded = *static_cast<Recording*>(recording->get());
  if (!recorded) {
    Owned<cudaGraph_t, cudaGraphDestroy> graph;
    SetStream(recorder_);
    try {
      CUDA_CHECK(cudaStreamBeginCapture(recorder_,
          cudaStreamCaptureModeThreadLocal));
      steps();
    } catch (...) {
      cudaStreamEndCapture(recorder_, &graph);
      cudaGetLastError();  // of that, where there is nothing to end
      SetStream(ordered_);
      throw;
    }
    const cudaError_t ended = cudaStreamEndCapture(recorder_, &graph);
    SetStream(ordered_);
    CUDA_CHECK(ended);
    CUDA_CHECK(cudaGraphInstantiate(&recorded, graph, 0));
  }
  CUDA_CHECK(cudaGraphLaunch(recorded, ordered_));
}

double Gpu::Milliseconds(const std::function<void()>& run) {
  const int kRuns = 10;  // enough for the time between events to be theirs
  Owned<cudaEvent_t, cudaEventDestroy> events[2];
  for (auto& event : events) { CUDA_CHECK(cudaEventCreate(&event)); }
  run();
  // To start a kernel may take the host longer than the GPU takes to run it; here
  // ten of most steps.
  Pause(500, stream_);
  CUDA_CHECK(cudaEventRecord(events[0], stream_));
  for (int i = 0; i < kRuns; ++i) { run(); }
  CUDA_CHECK(cudaEventRecord(events[1], stream_));
  CUDA_CHECK(cudaEventSynchronize(events[1]));
  float milliseconds;
  CUDA_CHECK(cudaEventElapsedTime(&milliseconds, events[0], events[1]));
  return milliseconds / kRuns;
}

const char* Gpu::ConstantBytes(const Op* op, const std::string& what,
    Type type, const std::function<std::vector<float>()>& make) {
  std::shared_ptr<char>& memory = constants_[std::make_pair(op, what)];
  if (!memory) {
    const std::vector<float> values = make();
    ForGpuType(type, [&](auto number) {
      const std::vector<decltype(number)> numbers(values.begin(),
                                                  values.end());
      const size_t bytes = numbers.size() * sizeof(number);
      memory = Allocate(bytes);
      CHECK(memory) << "no GPU memory for " << bytes << " bytes of weights";
      CUDA_CHECK(cudaMemcpy(memory.get(), numbers.data(), bytes,
                            cudaMemcpyHostToDevice));
    });
  }
  return memory.get();
}

std::unique_ptr<Device> MakeGpu(const std::string& precision) {
  return std::unique_ptr<Device>(new Gpu(precision));
}

}  // namespace engine
}  // namespace caffe
