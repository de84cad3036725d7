#ifndef CAFFE_ENGINE_PARALLEL_HPP_
#define CAFFE_ENGINE_PARALLEL_HPP_

#include <algorithm>
#include <cstddef>

#include "engine/team.hpp"

namespace caffe {
namespace engine {

/// @brief Calls f(i) for each i in [0, n) on the team that this thread has gathered,
///        or on OpenMP's threads: oneDNN's, beside which a second pool would fight for
///        the processors. f must not throw.
template <typename F>
void Parallel(const int n, const F& f, bool as_free = false) {
  Team* const team = Team::Current();
  if (team && n > 1) {
    return team->Share(n, as_free, [](const void* context, int i) {
      (*static_cast<const F*>(context))(i);
    }, &f);
  }
  if (as_free) {
#pragma omp parallel for schedule(dynamic) if (n > 1)
    for (int i = 0; i < n; ++i) { f(i); }
  } else {
#pragma omp parallel for schedule(static) if (n > 1)
    for (int i = 0; i < n; ++i) { f(i); }
  }
}

/// @brief As Parallel, but whichever thread is free takes the next: for items that
///        take long enough to make good what others on the processors take.
template <typename F>
void ParallelAsFree(const int n, const F& f) { Parallel(n, f, true); }

const int kPiece = 4096;  // values that a thread takes at a time

/// @brief f(begin, end) over [0, count) in such pieces.
template <typename F>
void InPieces(size_t count, const F& f) {
  Parallel((count + kPiece - 1) / kPiece, [&](int i) {
    const size_t begin = static_cast<size_t>(i) * kPiece;
    f(begin, std::min(count, begin + kPiece));
  });
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_PARALLEL_HPP_
