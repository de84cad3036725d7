#ifdef USE_CUDNN
#include "caffe/util/cudnn_convolution.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "caffe/util/cudnn_context.hpp"

namespace caffe {

namespace {

bool IsSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value && std::string(value) == "1";
}

size_t WorkspaceLimit() {
  const char* value = std::getenv("CAFFE_CUDNN_WORKSPACE");
  if (!value) { return size_t(512) << 20; }
  char* end;
  const long mib = std::strtol(value, &end, 10);  // NOLINT(runtime/int)
  CHECK(end != value && *end == '\0' && mib >= 0 && mib <= 1 << 20)
      << "CAFFE_CUDNN_WORKSPACE is '" << value << "', expected MiB";
  return size_t(mib) << 20;
}

// One of cuDNN's descriptors, as long as this lives.
template <typename T, cudnnStatus_t (*Create)(T*), cudnnStatus_t (*Destroy)(T)>
class Descriptor {
 public:
  Descriptor() { CUDNN_CHECK(Create(&descriptor_)); }
  ~Descriptor() { Destroy(descriptor_); }
  operator T() const { return descriptor_; }

 private:
  T descriptor_;
  DISABLE_COPY_AND_ASSIGN(Descriptor);
};

typedef Descriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor,
                   cudnnDestroyTensorDescriptor> TensorDescriptor;
typedef Descriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor,
                   cudnnDestroyFilterDescriptor> FilterDescriptor;
typedef Descriptor<cudnnConvolutionDescriptor_t,
                   cudnnCreateConvolutionDescriptor,
                   cudnnDestroyConvolutionDescriptor> ConvolutionDescriptor;

template <typename Dtype>
void Describe(int num, int channels, const int* size,
    const TensorDescriptor& descriptor) {
  CUDNN_CHECK(cudnnSetTensor4dDescriptor(descriptor, CUDNN_TENSOR_NCHW,
      cudnn::dataType<Dtype>::type, num, channels, size[0], size[1]));
}

}  // namespace

// x and y are the convolution's input and output: a deconvolution's top and
// bottom.
template <typename Dtype>
class CuDNNConvolution<Dtype>::Plan {
 public:
  Plan(const ConvolutionShape& shape, bool deconvolution)
      : shape_(shape), top_(deconvolution ? x_ : y_) {
    const ConvolutionShape& s = shape;
    const cudnnDataType_t type = cudnn::dataType<Dtype>::type;
    const int kOne[] = {1, 1};
    Describe<Dtype>(s.num, s.channels, s.input, x_);
    Describe<Dtype>(s.num, s.outputs, s.output, y_);
    Describe<Dtype>(1, deconvolution ? s.channels : s.outputs, kOne, bias_);
    CUDNN_CHECK(cudnnSetFilter4dDescriptor(w_, type, CUDNN_TENSOR_NCHW,
        s.outputs, s.channels / s.groups, s.kernel[0], s.kernel[1]));
    CUDNN_CHECK(cudnnSetConvolution2dDescriptor(convolution_, s.pad[0],
        s.pad[1], s.stride[0], s.stride[1], s.dilation[0], s.dilation[1],
        CUDNN_CROSS_CORRELATION, type));
    CUDNN_CHECK(cudnnSetConvolutionGroupCount(convolution_, s.groups));
  }

  const ConvolutionShape& shape() const { return shape_; }

  // y = x * w
  void Forward(const Dtype* x, const Dtype* w, Dtype* y) {
    typedef cudnnConvolutionFwdAlgoPerf_t Perf;
    Run(&forward_,
        [&](const CuDNNContext& c, int most, int* found, Perf* ranking) {
          return cudnnGetConvolutionForwardAlgorithm_v7(c.handle(), x_, w_,
              convolution_, y_, most, found, ranking);
        },
        [&](const CuDNNContext& c, int most, int* found, Perf* ranking) {
          return cudnnFindConvolutionForwardAlgorithmEx(c.handle(), x_, x, w_,
              w, convolution_, y_, y, most, found, ranking, c.workspace(),
              c.workspace_size());
        },
        [&](const CuDNNContext& c, const Perf& chosen) {
          return cudnnConvolutionForward(c.handle(),
              cudnn::dataType<Dtype>::one, x_, x, w_, w, convolution_,
              chosen.algo, c.workspace(), chosen.memory,
              cudnn::dataType<Dtype>::zero, y_, y);
        });
  }

  // dx = the gradient with respect to x
  void BackwardData(const Dtype* dy, const Dtype* w, Dtype* dx) {
    typedef cudnnConvolutionBwdDataAlgoPerf_t Perf;
    Run(&backward_data_,
        [&](const CuDNNContext& c, int most, int* found, Perf* ranking) {
          return cudnnGetConvolutionBackwardDataAlgorithm_v7(c.handle(), w_,
              y_, convolution_, x_, most, found, ranking);
        },
        [&](const CuDNNContext& c, int most, int* found, Perf* ranking) {
          return cudnnFindConvolutionBackwardDataAlgorithmEx(c.handle(), w_, w,
              y_, dy, convolution_, x_, dx, most, found, ranking,
              c.workspace(), c.workspace_size());
        },
        [&](const CuDNNContext& c, const Perf& chosen) {
          return cudnnConvolutionBackwardData(c.handle(),
              cudnn::dataType<Dtype>::one, w_, w, y_, dy, convolution_,
              chosen.algo, c.workspace(), chosen.memory,
              cudnn::dataType<Dtype>::zero, x_, dx);
        });
  }

  // dw += the gradient with respect to w
  void BackwardWeights(const Dtype* x, const Dtype* dy, Dtype* dw) {
    typedef cudnnConvolutionBwdFilterAlgoPerf_t Perf;
    Run(&backward_weights_,
        [&](const CuDNNContext& c, int most, int* found, Perf* ranking) {
          return cudnnGetConvolutionBackwardFilterAlgorithm_v7(c.handle(), x_,
              y_, convolution_, w_, most, found, ranking);
        },
        [&](const CuDNNContext& c, int most, int* found, Perf* ranking) {
          // It would overwrite the sum in dw.
          Blob<Dtype> trial(shape_.outputs, shape_.channels / shape_.groups,
              shape_.kernel[0], shape_.kernel[1]);
          return cudnnFindConvolutionBackwardFilterAlgorithmEx(c.handle(), x_,
              x, y_, dy, convolution_, w_, trial.mutable_gpu_data(), most,
              found, ranking, c.workspace(), c.workspace_size());
        },
        [&](const CuDNNContext& c, const Perf& chosen) {
          return cudnnConvolutionBackwardFilter(c.handle(),
              cudnn::dataType<Dtype>::one, x_, x, y_, dy, convolution_,
              chosen.algo, c.workspace(), chosen.memory,
              cudnn::dataType<Dtype>::one, w_, dw);
        });
  }

  // top += bias
  void AddBias(const Dtype* bias, Dtype* top) {
    CUDNN_CHECK(cudnnAddTensor(CuDNNContext::Get().handle(),
        cudnn::dataType<Dtype>::one, bias_, bias,
        cudnn::dataType<Dtype>::one, top_, top));
  }

  // bias_diff += the gradient with respect to the bias
  void BackwardBias(const Dtype* top_diff, Dtype* bias_diff) {
    CUDNN_CHECK(cudnnConvolutionBackwardBias(CuDNNContext::Get().handle(),
        cudnn::dataType<Dtype>::one, top_, top_diff,
        cudnn::dataType<Dtype>::one, bias_, bias_diff));
  }

 private:
  // Runs a pass by the algorithm chosen for it; or by each of a ranking, the
  // heuristics' or what was found by trying, until one does it: the chosen one.
  template <typename Perf, typename Rank, typename Find, typename Pass>
  void Run(std::unique_ptr<Perf>* chosen, const Rank& rank, const Find& find,
      const Pass& pass) {
    CuDNNContext& context = CuDNNContext::Get();
    const auto attempt = [&](const Perf& candidate) {
      if (!context.Reserve(candidate.memory)) {
        return CUDNN_STATUS_ALLOC_FAILED;
      }
      CUDNN_CHECK(
          cudnnSetConvolutionMathType(convolution_, candidate.mathType));
      return pass(context, candidate);
    };
    if (*chosen) {
      CUDNN_CHECK(attempt(**chosen));
      return;
    }
    const bool exact = sizeof(Dtype) == sizeof(float) && !IsSet("CAFFE_TF32");
    CUDNN_CHECK(cudnnSetConvolutionMathType(convolution_,
        exact ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH));
    const size_t limit = WorkspaceLimit();
    const int kMost = 32;
    Perf ranking[kMost];
    int found = 0;
    if (IsSet("CAFFE_CUDNN_AUTOTUNE")) {
      context.Reserve(limit);
      CUDNN_CHECK(find(context, kMost, &found, ranking));
      cudaGetLastError();  // of what did not run
    } else {
      CUDNN_CHECK(rank(context, kMost, &found, ranking));
    }
    for (int i = 0; i < found; ++i) {
      const Perf& candidate = ranking[i];
      // Rankings have other math types in them, too.
      const bool right = exact ? candidate.mathType == CUDNN_FMA_MATH
          : candidate.mathType != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
      if (candidate.status == CUDNN_STATUS_SUCCESS && right
          && candidate.memory <= limit
          && attempt(candidate) == CUDNN_STATUS_SUCCESS) {
        chosen->reset(new Perf(candidate));
        return;
      }
      cudaGetLastError();
    }
    LOG(FATAL) << "cuDNN has no algorithm for this convolution within "
        << (limit >> 20) << " MiB of workspace (CAFFE_CUDNN_WORKSPACE)";
  }

  const ConvolutionShape shape_;
  TensorDescriptor x_, y_, bias_;
  const TensorDescriptor& top_;
  FilterDescriptor w_;
  ConvolutionDescriptor convolution_;
  std::unique_ptr<cudnnConvolutionFwdAlgoPerf_t> forward_;
  std::unique_ptr<cudnnConvolutionBwdDataAlgoPerf_t> backward_data_;
  std::unique_ptr<cudnnConvolutionBwdFilterAlgoPerf_t> backward_weights_;
};

template <typename Dtype>
typename CuDNNConvolution<Dtype>::Plan& CuDNNConvolution<Dtype>::PlanFor(
    const ConvolutionShape& shape) {
  if (!plan_ || !(plan_->shape() == shape)) {
    plan_.reset(new Plan(shape, deconvolution_));
  }
  return *plan_;
}

template <typename Dtype>
void CuDNNConvolution<Dtype>::Forward(const ConvolutionShape& shape,
    const vector<Blob<Dtype>*>& bottom,
    const vector<shared_ptr<Blob<Dtype> > >& params,
    const vector<Blob<Dtype>*>& top) {
  Plan& plan = PlanFor(shape);
  const Dtype* weights = params[0]->gpu_data();
  for (size_t i = 0; i < bottom.size(); ++i) {
    const Dtype* bottom_data = bottom[i]->gpu_data();
    Dtype* top_data = top[i]->mutable_gpu_data();
    if (deconvolution_) {
      plan.BackwardData(bottom_data, weights, top_data);
    } else {
      plan.Forward(bottom_data, weights, top_data);
    }
    if (params.size() > 1) {
      plan.AddBias(params[1]->gpu_data(), top_data);
    }
  }
}

template <typename Dtype>
void CuDNNConvolution<Dtype>::Backward(const ConvolutionShape& shape,
    const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
    const vector<Blob<Dtype>*>& bottom,
    const vector<shared_ptr<Blob<Dtype> > >& params,
    const vector<bool>& param_propagate_down) {
  Plan& plan = PlanFor(shape);
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* top_diff = top[i]->gpu_diff();
    if (params.size() > 1 && param_propagate_down[1]) {
      plan.BackwardBias(top_diff, params[1]->mutable_gpu_diff());
    }
    if (param_propagate_down[0]) {
      const Dtype* bottom_data = bottom[i]->gpu_data();
      Dtype* weights_diff = params[0]->mutable_gpu_diff();
      if (deconvolution_) {
        plan.BackwardWeights(top_diff, bottom_data, weights_diff);
      } else {
        plan.BackwardWeights(bottom_data, top_diff, weights_diff);
      }
    }
    if (propagate_down[i]) {
      const Dtype* weights = params[0]->gpu_data();
      Dtype* bottom_diff = bottom[i]->mutable_gpu_diff();
      if (deconvolution_) {
        plan.Forward(top_diff, weights, bottom_diff);
      } else {
        plan.BackwardData(top_diff, weights, bottom_diff);
      }
    }
  }
}

INSTANTIATE_CLASS(CuDNNConvolution);

}  // namespace caffe
#endif  // USE_CUDNN
