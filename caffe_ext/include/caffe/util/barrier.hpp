#ifndef CAFFE_UTIL_BARRIER_HPP_
#define CAFFE_UTIL_BARRIER_HPP_

#include <condition_variable>  // NOLINT(build/c++11)
#include <exception>
#include <mutex>  // NOLINT(build/c++11)

namespace caffe {

/// @brief A point at which threads wait for each other, over and over; or get the
///        error of the one that fails to come.
class Barrier {
 public:
  explicit Barrier(int threads)
      : threads_(threads), waiting_(0), round_(0) {}

  /// @brief Returns when all are there; throws the first error given to fail().
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!error_ && ++waiting_ == threads_) {
      waiting_ = 0;
      ++round_;
      all_there_.notify_all();
      return;
    }
    const unsigned round = round_;
    all_there_.wait(lock, [&] { return error_ || round != round_; });
    if (round == round_) { std::rethrow_exception(error_); }
  }

  /// @brief Whoever waits, now or later, gets the exception that the caller is
  ///        handling.
  void fail() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!error_) { error_ = std::current_exception(); }
    all_there_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_there_;
  const int threads_;
  int waiting_;
  unsigned round_;
  std::exception_ptr error_;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_BARRIER_HPP_
