#ifndef CAFFE_TEST_TEST_THREADS_UTIL_HPP_
#define CAFFE_TEST_TEST_THREADS_UTIL_HPP_

#include <functional>
#include <future>
#include <vector>

namespace caffe {

const int kThreads = 4;

/// @brief Calls f(i) on a thread of its own for each i in [0, kThreads).
inline void OnThreads(const std::function<void(int)>& f) {
  std::vector<std::future<void> > threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.push_back(std::async(std::launch::async, f, i));
  }
  for (std::future<void>& thread : threads) {
    thread.get();
  }
}

}  // namespace caffe

#endif  // CAFFE_TEST_TEST_THREADS_UTIL_HPP_
