#ifndef CAFFE_ENGINE_KERNELS_WEIGHTED_SUM_HPP_
#define CAFFE_ENGINE_KERNELS_WEIGHTED_SUM_HPP_

#include "engine/bfloat16.hpp"

namespace caffe {
namespace engine {

/// @brief y[c] = weights[c] a[c] + weights[channels + c] b[c], for channels that 16
///        divides. y may be a.
typedef void WeightedSum(const float* weights, const BFloat16* a, const BFloat16* b,
                         int channels, BFloat16* y);

/// @brief With AVX-512's conversions of bf16; null where it was not compiled for such
///        a processor.
WeightedSum* WeightedSumAvx512BF16();

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_WEIGHTED_SUM_HPP_
