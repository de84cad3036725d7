#ifndef CAFFE_ENGINE_SPLIT_HPP_
#define CAFFE_ENGINE_SPLIT_HPP_

#include <cstdint>

namespace caffe {
namespace engine {

/// @brief How many parts of at most `most` there are in `whole`.
inline int Parts(int whole, int most) { return (whole + most - 1) / most; }

/// @brief [0, whole) in parts of nearly the same size.
struct Split {
  Split(int whole, int parts) : whole(whole), parts(parts) {}
  int begin(int part) const {
    return static_cast<int64_t>(whole) * part / parts;
  }
  const int whole, parts;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_SPLIT_HPP_
