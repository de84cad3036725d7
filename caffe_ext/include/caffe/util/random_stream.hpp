#ifndef CAFFE_UTIL_RANDOM_STREAM_HPP_
#define CAFFE_UTIL_RANDOM_STREAM_HPP_

#include <stdint.h>

#include <vector>

#include "caffe/common.hpp"

namespace caffe {

/**
 * @brief Random numbers that are a function of (seed, index) alone, whatever
 *        the machine, its library and the thread: nothing is carried from one
 *        index to the next.
 *
 * SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
 * Generators, 2014), whose state begins at a hash of both.
 */
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t index)
      : state_(Mix(Mix(seed) + index)) {}

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15); }

  /// @brief A whole number of 0 ... n - 1.
  int Below(int n) {
    return static_cast<int>((Next() >> 32) * static_cast<uint64_t>(n) >> 32);
  }

  /// @brief A number in [low, high).
  double Between(double low, double high) {
    return low + (high - low) * (Next() >> 11) / (1ull << 53);
  }

 private:
  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t state_;
};

/// @brief A random order of 0 ... n - 1 (Fisher and Yates).
inline vector<int> RandomOrder(int n, RandomStream random) {
  vector<int> order(n);
  for (int i = 0; i < n; ++i) {
    const int j = random.Below(i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  return order;
}

}  // namespace caffe

#endif  // CAFFE_UTIL_RANDOM_STREAM_HPP_
