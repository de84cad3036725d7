#ifdef USE_ENGINE
#include <omp.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "engine/parallel.hpp"

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/test/test_threads_util.hpp"

namespace caffe {

using engine::Parallel;
using engine::ParallelAsFree;
using engine::Team;

class TeamTest : public ::testing::Test {
 protected:
  virtual ~TeamTest() { omp_set_num_threads(before_); }

 private:
  const int before_ = omp_get_max_threads();
};

TEST_F(TeamTest, TestEachIsDoneOnce) {
  for (int threads = 1; threads <= 5; ++threads) {
    omp_set_num_threads(threads);
    Team::Gather([&] {
      EXPECT_EQ(threads > 1, Team::Current() != NULL);
      for (int n : {0, 1, 2, 3, 7, 100}) {
        for (bool as_free : {false, true}) {
          std::vector<std::atomic<int> > done(n);
          for (int round = 1; round <= 20; ++round) {
            Parallel(n, [&](int i) { ++done[i]; }, as_free);
            for (const std::atomic<int>& times : done) {
              EXPECT_EQ(round, times);
            }
          }
        }
      }
    });
    EXPECT_TRUE(Team::Current() == NULL);
  }
}

// Each number below that of threads is a thread's, as those know who have room for
// each one's numbers.
TEST_F(TeamTest, TestAllTakePart) {
  omp_set_num_threads(3);
  std::vector<std::atomic<int> > items(3);
  Team::Gather([&] {
    Parallel(7, [&](int) { ++items[omp_get_thread_num()]; });
  });
  EXPECT_EQ(2, items[0]);
  EXPECT_EQ(2, items[1]);
  EXPECT_EQ(3, items[2]);
}

// Longer than anybody's patience, for those who wait for work and for the others' end.
TEST_F(TeamTest, TestWhoSleepsIsWoken) {
  omp_set_num_threads(2);
  const auto pause = [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  std::atomic<int> done(0);
  Team::Gather([&] {
    for (int round = 0; round < 5; ++round) {
      for (int late = 0; late < 2; ++late) {
        pause();
        Parallel(2, [&](int i) {
          if (i == late) { pause(); }
          ++done;
        });
      }
    }
  });
  EXPECT_EQ(20, done);
}

TEST_F(TeamTest, TestWithinAnother) {
  omp_set_num_threads(2);
  std::atomic<int> done(0);
  Team::Gather([&] {
    Team::Gather([&] {
      ParallelAsFree(4, [&](int) { Parallel(3, [&](int) { ++done; }); });
    });
  });
  EXPECT_EQ(12, done);
}

TEST_F(TeamTest, TestErrors) {
  omp_set_num_threads(2);
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> done(0);
    EXPECT_THROW(Team::Gather([&] {
      Parallel(2, [&](int) { ++done; });
      throw std::runtime_error("no more");
    }), std::runtime_error);
    EXPECT_EQ(2, done);
    EXPECT_TRUE(Team::Current() == NULL);
  }
}

// More threads than there are processors, so that they are disturbed.
TEST_F(TeamTest, TestTeamsAtATime) {
  std::atomic<int> done(0);
  OnThreads([&](int) {
    omp_set_num_threads(3);
    for (int round = 0; round < 50; ++round) {
      Team::Gather([&] {
        for (int job = 0; job < 10; ++job) {
          Parallel(9, [&](int) { ++done; }, job % 2);
        }
      });
    }
  });
  EXPECT_EQ(kThreads * 50 * 10 * 9, done);
}

}  // namespace caffe
#endif  // USE_ENGINE
