#ifndef CAFFE_ENGINE_PARALLEL_HPP_
#define CAFFE_ENGINE_PARALLEL_HPP_

namespace caffe {
namespace engine {

/// @brief Calls f(i) for each i in [0, n) on OpenMP's threads, which are
///        oneDNN's: a second pool beside them would fight for the processors.
///        f must not throw.
template <typename F>
void Parallel(const int n, const F& f) {
#pragma omp parallel for schedule(static) if (n > 1)
  for (int i = 0; i < n; ++i) {
    f(i);
  }
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PARALLEL_HPP_
