#ifndef CAFFE_UTIL_PARALLEL_FOR_HPP_
#define CAFFE_UTIL_PARALLEL_FOR_HPP_

#include <algorithm>
#include <functional>

// Vector instructions by OpenMP's simd pragmas, which need -fopenmp-simd and no
// runtime library; without it the loops are plain.
#define CAFFE_PRAGMA(text) _Pragma(#text)
/// @brief The next loop's iterations are independent, be it in place.
#define CAFFE_SIMD CAFFE_PRAGMA(omp simd)
/// @brief The next loop adds up the variables named; in which order is free.
#define CAFFE_SIMD_SUM(...) CAFFE_PRAGMA(omp simd reduction(+ : __VA_ARGS__))

namespace caffe {

/// @brief ParallelFor's other half: f(begin, end) for parts of [0, n).
void ParallelRanges(const int n, const std::function<void(int, int)>& f);

/**
 * @brief Calls f(i) for each i in [0, n), on several threads if it pays.
 *
 * f must not call ParallelFor. What f throws the caller gets, when no thread is at
 * work any more; which calls were made then is open. There are as many threads as
 * OMP_NUM_THREADS says, which BLAS libraries heed too, or else as processors.
 *
 * @param cost about how many numbers one call reads or writes
 */
template <typename F>
inline void ParallelFor(const int n, const int cost, const F& f) {
  const auto range = [&f](int begin, int end) {
    for (int i = begin; i < end; ++i) {
      f(i);
    }
  };
  // Below this, waking a thread takes longer than the work.
  const long long kWorthwhile = 1 << 15;
  if (static_cast<long long>(n) * cost < kWorthwhile) {
    range(0, n);
  } else {
    ParallelRanges(n, range);
  }
}

/// @brief ParallelFor of single numbers: calls f(begin, end) for blocks of [0, n).
template <typename F>
inline void ParallelBlocks(const int n, const F& f) {
  const int kBlock = 1 << 12;
  ParallelFor(n / kBlock + 1, kBlock, [&](int block) {
    const int begin = block * kBlock;
    f(begin, begin + std::min(kBlock, n - begin));
  });
}

}  // namespace caffe

#endif  // CAFFE_UTIL_PARALLEL_FOR_HPP_
