#ifndef CAFFE_ENGINE_TEAM_HPP_
#define CAFFE_ENGINE_TEAM_HPP_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace caffe {
namespace engine {

/**
 * @brief OpenMP's threads, kept together from one step to the next: to wake them for
 *        each would take as long as a small step.
 *
 * Who waits looks again and again for a while before it sleeps; but not where others
 * want the processors: where a team that did so had them for less than seven eighths of
 * the time. Now and then one tries again.
 */
class Team {
 public:
  /// @brief work() on this thread, while others of OpenMP's number wait for what
  ///        Share hands them. What it throws is thrown on.
  static void Gather(const std::function<void()>& work);
  /// @brief The one that this thread has gathered, or null.
  static Team* Current();

  typedef void (*Function)(const void* context, int i);
  /// @brief f(context, i) for each i in [0, n) on all threads: in parts of the same
  ///        size, or (`as_free`) one by one by whichever is free. f must not throw.
  void Share(int n, bool as_free, Function f, const void* context);

 private:
  explicit Team(bool patient) : patient_(patient) {}
  void Lead(const std::function<void()>& work);
  void Follow(int thread);
  void Do(int thread);
  // Wakes who sleeps, once what they wait for has come true.
  void Tell();
  template <typename Condition>
  void WaitFor(const Condition& condition);

  const bool patient_;  // whether its threads look for a while
  int threads_ = 1;
  // The job.
  int count_ = 0;
  bool as_free_ = false;
  Function function_ = nullptr;  // null: there are no more
  const void* context_ = nullptr;
  std::atomic<int> next_{0};       // the first i that nobody has taken
  std::atomic<int> busy_{0};       // other threads that are still at it
  std::atomic<unsigned> jobs_{0};  // so far
  std::atomic<int> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_TEAM_HPP_
