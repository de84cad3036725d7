#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/util/parallel_for.hpp"

namespace caffe {

using std::vector;

namespace {

const int kLarge = 1 << 20;  // a cost for which threads pay

// Whether each index came once.
bool EachOnce(const int n, const int cost) {
  vector<int> times(n);
  ParallelFor(n, cost, [&times](int i) { ++times[i]; });
  return times == vector<int>(n, 1);
}

}  // namespace

TEST(ParallelForTest, TestEachOnce) {
  for (const int n : {0, 1, 2, 7, 64, 100003}) {
    EXPECT_TRUE(EachOnce(n, 1)) << n;
    EXPECT_TRUE(EachOnce(n, kLarge)) << n;
  }
}

TEST(ParallelForTest, TestBlocks) {
  for (const int n : {0, 1, 4095, 4096, 4097, 1 << 20}) {
    vector<int> times(n);
    ParallelBlocks(n, [&times](int begin, int end) {
      for (int i = begin; i < end; ++i) { ++times[i]; }
    });
    EXPECT_EQ(vector<int>(n, 1), times) << n;
  }
}

TEST(ParallelForTest, TestSeveralCallers) {
  vector<int> right(4);
  vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([t, &right] {
      for (int i = 0; i < 500; ++i) {
        right[t] += EachOnce(997, kLarge);
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(vector<int>(4, 500), right);
}

// As Python's multiprocessing does; a fork has none of its parent's threads.
TEST(ParallelForTest, TestFork) {
  ASSERT_TRUE(EachOnce(997, kLarge));
  const pid_t child = fork();
  if (child == 0) {
    alarm(10);
    _exit(EachOnce(997, kLarge) ? 0 : 1);
  }
  int status;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
}

}  // namespace caffe
