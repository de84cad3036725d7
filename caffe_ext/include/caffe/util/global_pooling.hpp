#ifndef CAFFE_UTIL_GLOBAL_POOLING_HPP_
#define CAFFE_UTIL_GLOBAL_POOLING_HPP_

namespace caffe {

/// @brief y[p] = mean of x[p * area ... (p + 1) * area), for each plane p.
template <typename Dtype>
void global_average_pool_gpu(const int planes, const int area, const Dtype* x,
    Dtype* y);

/// @brief dx[p * area ... (p + 1) * area) = dy[p] * (1 / area), for each plane p.
template <typename Dtype>
void global_average_pool_backward_gpu(const int planes, const int area,
    const Dtype* dy, Dtype* dx);

}  // namespace caffe

#endif  // CAFFE_UTIL_GLOBAL_POOLING_HPP_
