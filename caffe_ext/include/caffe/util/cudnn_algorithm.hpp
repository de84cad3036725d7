#ifndef CAFFE_UTIL_CUDNN_ALGORITHM_HPP_
#define CAFFE_UTIL_CUDNN_ALGORITHM_HPP_

#include <cudnn.h>

// cuDNN 8 dropped the functions that choose a convolution's algorithm within a
// workspace limit. Here they are again, under their names and signatures, on the
// _v7 functions, which rank all algorithms.
#if CUDNN_VERSION >= 8000

enum CuDNNWorkspacePreference {
  CUDNN_CONVOLUTION_FWD_SPECIFY_WORKSPACE_LIMIT,
  CUDNN_CONVOLUTION_BWD_FILTER_SPECIFY_WORKSPACE_LIMIT,
  CUDNN_CONVOLUTION_BWD_DATA_SPECIFY_WORKSPACE_LIMIT
};

namespace caffe {
namespace cudnn {

// Asks `rank` (a _v7 function) for its ranking, and takes the first algorithm
// that works, fits, and needs no other math type than the convolution has: one
// descriptor serves all three directions.
template <typename Perf, typename Algorithm, typename Rank>
inline cudnnStatus_t FirstThatFits(cudnnConvolutionDescriptor_t convolution,
    const size_t limit, Algorithm* algorithm, const Rank& rank) {
  cudnnMathType_t math_type;
  cudnnStatus_t status = cudnnGetConvolutionMathType(convolution, &math_type);
  if (status != CUDNN_STATUS_SUCCESS) { return status; }
  const int kMost = 32;
  Perf ranking[kMost];
  int found = 0;
  status = rank(kMost, &found, ranking);
  if (status != CUDNN_STATUS_SUCCESS) { return status; }
  for (int i = 0; i < found; ++i) {
    if (ranking[i].status == CUDNN_STATUS_SUCCESS &&
        ranking[i].memory <= limit && ranking[i].mathType == math_type) {
      *algorithm = ranking[i].algo;
      return CUDNN_STATUS_SUCCESS;
    }
  }
  return CUDNN_STATUS_NOT_SUPPORTED;
}

}  // namespace cudnn
}  // namespace caffe

inline cudnnStatus_t cudnnGetConvolutionForwardAlgorithm(cudnnHandle_t handle,
    cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
    cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y,
    CuDNNWorkspacePreference, size_t limit,
    cudnnConvolutionFwdAlgo_t* algorithm) {
  return caffe::cudnn::FirstThatFits<cudnnConvolutionFwdAlgoPerf_t>(
      convolution, limit, algorithm,
      [=](int most, int* found, cudnnConvolutionFwdAlgoPerf_t* ranking) {
        return cudnnGetConvolutionForwardAlgorithm_v7(handle, x, w,
            convolution, y, most, found, ranking);
      });
}

inline cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm(
    cudnnHandle_t handle, cudnnTensorDescriptor_t x,
    cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t convolution,
    cudnnFilterDescriptor_t dw, CuDNNWorkspacePreference, size_t limit,
    cudnnConvolutionBwdFilterAlgo_t* algorithm) {
  return caffe::cudnn::FirstThatFits<cudnnConvolutionBwdFilterAlgoPerf_t>(
      convolution, limit, algorithm,
      [=](int most, int* found, cudnnConvolutionBwdFilterAlgoPerf_t* ranking) {
        return cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle, x, dy,
            convolution, dw, most, found, ranking);
      });
}

inline cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm(
    cudnnHandle_t handle, cudnnFilterDescriptor_t w,
    cudnnTensorDescriptor_t dy, cudnnConvolutionDescriptor_t convolution,
    cudnnTensorDescriptor_t dx, CuDNNWorkspacePreference, size_t limit,
    cudnnConvolutionBwdDataAlgo_t* algorithm) {
  return caffe::cudnn::FirstThatFits<cudnnConvolutionBwdDataAlgoPerf_t>(
      convolution, limit, algorithm,
      [=](int most, int* found, cudnnConvolutionBwdDataAlgoPerf_t* ranking) {
        return cudnnGetConvolutionBackwardDataAlgorithm_v7(handle, w, dy,
            convolution, dx, most, found, ranking);
      });
}

#endif  // CUDNN_VERSION >= 8000

#endif  // CAFFE_UTIL_CUDNN_ALGORITHM_HPP_
