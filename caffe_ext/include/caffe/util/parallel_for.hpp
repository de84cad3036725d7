#ifndef CAFFE_UTIL_PARALLEL_FOR_HPP_
#define CAFFE_UTIL_PARALLEL_FOR_HPP_

#include <cstddef>

// For libcaffe's own .cpp files: several threads and vector instructions,
// through OpenMP where the build has it, plain loops where it has not.

#ifdef _OPENMP
#define CAFFE_PRAGMA(text) _Pragma(#text)
/// @brief The next loop's iterations are independent, be it in place.
#define CAFFE_SIMD CAFFE_PRAGMA(omp simd)
/// @brief The next loop adds up the variables named; in which order is free.
#define CAFFE_SIMD_SUM(...) CAFFE_PRAGMA(omp simd reduction(+ : __VA_ARGS__))
#else
#define CAFFE_SIMD
#define CAFFE_SIMD_SUM(...)
#endif

namespace caffe {

/**
 * @brief Calls f(i) for each i in [0, n), on several threads if it pays.
 * @param cost about how many numbers one call reads or writes
 */
template <typename F>
inline void ParallelFor(const int n, const int cost, const F& f) {
#ifdef _OPENMP
  // Below this, waking the other threads takes longer than the work.
  const size_t kWorthwhile = 1 << 15;
#pragma omp parallel for if (static_cast<size_t>(n) * cost >= kWorthwhile)
#endif
  for (int i = 0; i < n; ++i) {
    f(i);
  }
}

}  // namespace caffe

#endif  // CAFFE_UTIL_PARALLEL_FOR_HPP_
