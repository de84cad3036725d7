#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "gtest/gtest.h"

#include "caffe/common.hpp"
#include "caffe/util/random_stream.hpp"

namespace caffe {

// SplitMix64's numbers from the state 0, which its authors' C code gives.
TEST(RandomStreamTest, TestKnownNumbers) {
  RandomStream random(0, 0);
  EXPECT_EQ(0xe220a8397b1dcdaf, random.Next());
  EXPECT_EQ(0x6e789e6aa1b965f4, random.Next());
  EXPECT_EQ(0x06c45d188009454f, random.Next());
}

// First numbers of neighbours, which a weak mix would make alike: each bit is 1
// in half of them, and differs in half of the pairs.
TEST(RandomStreamTest, TestNeighboursAreIndependent) {
  const int kStreams = 10000;
  for (int by_seed = 0; by_seed < 2; ++by_seed) {
    vector<int> ones(64), changes(64);
    uint64_t before = 0;
    for (int i = 0; i < kStreams; ++i) {
      const uint64_t next = (by_seed ? RandomStream(i, 7) :
          RandomStream(7, i)).Next();
      for (int bit = 0; bit < 64; ++bit) {
        ones[bit] += next >> bit & 1;
        changes[bit] += (next ^ before) >> bit & 1;
      }
      before = next;
    }
    for (int bit = 0; bit < 64; ++bit) {
      EXPECT_NEAR(kStreams / 2, ones[bit], 5 * std::sqrt(kStreams / 4.));
      EXPECT_NEAR(kStreams / 2, changes[bit], 5 * std::sqrt(kStreams / 4.));
    }
  }
}

TEST(RandomStreamTest, TestBounds) {
  RandomStream random(1, 2);
  vector<int> times(3);
  for (int i = 0; i < 3000; ++i) {
    ++times.at(random.Below(3));
    const double number = random.Between(-2, 5);
    EXPECT_TRUE(-2 <= number && number < 5) << number;
    EXPECT_EQ(0, random.Below(1));
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(1000, times[i], 5 * std::sqrt(3000 * 2 / 9.));
  }
}

TEST(RandomStreamTest, TestEveryOrderIsAsLikely) {
  std::map<vector<int>, int> times;
  for (int i = 0; i < 24000; ++i) {
    ++times[RandomOrder(4, RandomStream(5, i))];
  }
  EXPECT_EQ(24, times.size());
  for (const auto& order : times) {
    vector<int> sorted = order.first;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(vector<int>({0, 1, 2, 3}), sorted);
    EXPECT_NEAR(1000, order.second, 5 * std::sqrt(1000.));
  }
  EXPECT_TRUE(RandomOrder(0, RandomStream(0, 0)).empty());
}

}  // namespace caffe
