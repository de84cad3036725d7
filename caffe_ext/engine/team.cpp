#include "engine/team.hpp"

#include <omp.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>

#include "engine/split.hpp"

namespace caffe {
namespace engine {

namespace {

thread_local Team* current = NULL;

// Longer than most steps that one thread does alone.
const std::chrono::microseconds kPatience(200);

void Pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

int64_t Nanoseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// How long a thread was there, and how long it had a processor.
class Presence {
 public:
  void End(std::atomic<int64_t>* there, std::atomic<int64_t>* computing) const {
    there->fetch_add(Nanoseconds(CLOCK_MONOTONIC) - there_);
    computing->fetch_add(Nanoseconds(CLOCK_THREAD_CPUTIME_ID) - computing_);
  }

 private:
  const int64_t there_ = Nanoseconds(CLOCK_MONOTONIC);
  const int64_t computing_ = Nanoseconds(CLOCK_THREAD_CPUTIME_ID);
};

// Whether teams have the processors for themselves, as the last ones saw it.
class Surroundings {
 public:
  bool Quiet() {
    const int left = impatient_.load();
    impatient_.store(std::max(left - 1, 0));
    return left == 0;
  }
  // How a patient team fared. Each time that it is disturbed again, twice as many
  // impatient ones come before the next.
  void Saw(int64_t there, int64_t computing) {
    const int kMost = 64;
    const bool disturbed = computing < there - there / 8;
    times_.store(disturbed ? std::min(2 * times_.load() + 1, kMost) : 0);
    impatient_.store(times_.load());
  }

 private:
  std::atomic<int> impatient_{0};  // teams from now on
  std::atomic<int> times_{0};
};

Surroundings surroundings;

}  // namespace

Team* Team::Current() { return current; }

void Team::Gather(const std::function<void()>& work) {
  if (omp_get_max_threads() == 1 || current) {
    return work();
  }
  Team team(surroundings.Quiet());
  std::atomic<int64_t> there{0}, computing{0};
  std::exception_ptr error;
#pragma omp parallel
  {
    const Presence presence;
    if (omp_get_thread_num() > 0) {
      team.Follow(omp_get_thread_num());
    } else {
      team.threads_ = omp_get_num_threads();
      current = &team;
      try {
        work();
      } catch (...) {
        error = std::current_exception();
      }
      team.Share(0, false, NULL, NULL);
      current = NULL;
    }
    presence.End(&there, &computing);
  }
  if (team.patient_) { surroundings.Saw(there.load(), computing.load()); }
  if (error) { std::rethrow_exception(error); }
}

void Team::Share(int n, bool as_free, Function f, const void* context) {
  count_ = n;
  as_free_ = as_free;
  function_ = f;
  context_ = context;
  next_.store(0);
  busy_.store(threads_ - 1);
  jobs_.fetch_add(1);
  Tell();
  if (f) {
    current = NULL;  // all are at work
    Do(0);
    current = this;
  }
  WaitFor([this] { return busy_.load() == 0; });
}

void Team::Follow(int thread) {
  for (unsigned job = 1;; ++job) {
    WaitFor([=] { return jobs_.load() == job; });
    const bool more = function_ != NULL;
    if (more) { Do(thread); }
    if (busy_.fetch_sub(1) == 1) { Tell(); }
    if (!more) {
      return;
    }
  }
}

void Team::Do(int thread) {
  if (as_free_) {
    for (int i; (i = next_.fetch_add(1)) < count_;) { function_(context_, i); }
    return;
  }
  const Split parts(count_, threads_);
  for (int i = parts.begin(thread); i < parts.begin(thread + 1); ++i) {
    function_(context_, i);
  }
}

void Team::Tell() {
  // Whoever is not counted yet will look once more before it sleeps.
  if (sleepers_.load() > 0) {
    const std::lock_guard<std::mutex> lock(mutex_);
    changed_.notify_all();
  }
}

template <typename Condition>
void Team::WaitFor(const Condition& condition) {
  typedef std::chrono::steady_clock Clock;
  const Clock::time_point end =
      patient_ ? Clock::now() + kPatience : Clock::time_point::min();
  do {
    for (int i = 0; i < 16; ++i) {
      if (condition()) {
        return;
      }
      Pause();
    }
  } while (Clock::now() < end);
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1);
  changed_.wait(lock, condition);
  sleepers_.fetch_sub(1);
}

}  // namespace engine
}  // namespace caffe
