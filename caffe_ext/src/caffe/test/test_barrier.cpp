#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/common.hpp"
#include "caffe/util/barrier.hpp"

#include "caffe/test/test_caffe_main.hpp"

namespace caffe {

TEST(BarrierTest, TestRounds) {
  const int kThreads = 4, kRounds = 200;
  Barrier barrier(kThreads);
  std::atomic<int> arrived(0), early(0);
  vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 1; round <= kRounds; ++round) {
        ++arrived;
        barrier.wait();
        if (arrived < round * kThreads) { ++early; }
        barrier.wait();
      }
    });
  }
  for (std::thread& thread : threads) { thread.join(); }
  EXPECT_EQ(0, early);
  EXPECT_EQ(kThreads * kRounds, arrived);
}

// Who waits already and who comes later; the first error, of two.
TEST(BarrierTest, TestFail) {
  Barrier barrier(4);
  vector<string> errors(3);
  const auto run = [&](int i) {
    try {
      barrier.wait();
    } catch (const std::exception& error) {
      errors[i] = error.what();
      barrier.fail();
    }
  };
  std::thread first(run, 0), second(run, 1);
  try {
    throw std::runtime_error("out of memory");
  } catch (...) {
    barrier.fail();
  }
  run(2);
  first.join();
  second.join();
  EXPECT_EQ(vector<string>(3, "out of memory"), errors);
}

// Another thread's error does not undo the round that was complete.
TEST(BarrierTest, TestFailAfterRound) {
  Barrier barrier(2);
  std::atomic<bool> passed(false);
  std::thread other([&] {
    barrier.wait();
    passed = true;
  });
  barrier.wait();
  try {
    throw std::runtime_error("later");
  } catch (...) {
    barrier.fail();
  }
  other.join();
  EXPECT_TRUE(passed);
  EXPECT_THROW(barrier.wait(), std::runtime_error);
}

}  // namespace caffe
