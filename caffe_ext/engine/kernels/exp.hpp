#ifndef CAFFE_ENGINE_KERNELS_EXP_HPP_
#define CAFFE_ENGINE_KERNELS_EXP_HPP_

#include <cstdint>
#include <cstring>

namespace caffe {
namespace engine {

/**
 * @brief exp(x) within 2 units in the last place, in a form that compilers
 *        vectorise. 0 below -87.3; what is above 88.3 gives what 88.3 does; NaN
 *        stays NaN.
 *
 * exp(x) = 2^n exp(r), n = x / log 2 rounded, exp(r) by Taylor's series for
 * |r| <= log(2) / 2.
 */
inline float Exp(float x) {
  const float kLowest = -87.3f, kHighest = 88.3f;
  const float at = x < kLowest ? kLowest : x > kHighest ? kHighest : x;
  // Adding 1.5 * 2^23 leaves the rounded number in the last bits.
  const float kRound = 12582912.f;
  const float shifted = at * 1.44269504f + kRound;
  int32_t n;
  std::memcpy(&n, &shifted, sizeof(n));
  const float whole = shifted - kRound;
  // log 2 in two parts, the first of few bits.
  const float r = (at - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float series = 1.f / 5040;
  series = series * r + 1.f / 720;
  series = series * r + 1.f / 120;
  series = series * r + 1.f / 24;
  series = series * r + 1.f / 6;
  series = series * r + .5f;
  series = series * r + 1;
  series = series * r + 1;
  const int32_t bits = static_cast<int32_t>(
      (static_cast<uint32_t>(n) + 127) << 23);
  float power;
  std::memcpy(&power, &bits, sizeof(power));
  return x < kLowest ? 0 : series * power;
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_KERNELS_EXP_HPP_
