#ifndef CAFFE_ENGINE_BFLOAT16_HPP_
#define CAFFE_ENGINE_BFLOAT16_HPP_

#include <cstdint>
#include <cstring>

#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/// @brief The upper half of a float, rounded to the nearest, to even at a tie, as
///        vcvtneps2bf16 does, but for denormals, which it keeps. In a form that
///        compilers vectorise.
class BFloat16 {
 public:
  BFloat16() = default;
  BFloat16(float x) : bits_(Round(x)) {}  // NOLINT: as one number type becomes another
  // A copy of an object keeps gcc from vectorising.
  BFloat16& operator=(float x) {
    bits_ = Round(x);
    return *this;
  }
  operator float() const {
    const uint32_t bits = static_cast<uint32_t>(bits_) << 16;
    float x;
    std::memcpy(&x, &bits, sizeof(x));
    return x;
  }

 private:
  static uint16_t Round(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    // What tells NaN from infinity may be in the lower half.
    const uint32_t quiet = bits | 0x400000;
    return (x == x ? rounded : quiet) >> 16;
  }

  uint16_t bits_;
};

/// @brief f(T()), T being the C++ type.
template <typename F>
auto ForType(Type type, const F& f) {
  return type == Type::BF16 ? f(BFloat16()) : f(float());
}

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_BFLOAT16_HPP_
