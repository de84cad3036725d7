#ifndef CAFFE_UTIL_LIMITS_HPP_
#define CAFFE_UTIL_LIMITS_HPP_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace caffe {

class BlobShape;
class LayerParameter;
template <typename Dtype> class Blob;

// ---- numbers that become sizes: an Error where an int cannot hold them

/// @brief The number, as an int.
int CheckedInt(int64_t value);
/// @brief a * b of two sizes, none of them negative.
int CheckedProduct(int64_t a, int64_t b);
/// @brief The dimensions of a shape, which are 64 bits wide in protobuf.
std::vector<int> CheckedDims(const BlobShape& shape);
/**
 * @brief How many values a blob of that shape has.
 *
 * Refuses more than kMaxBlobAxes axes, negative dimensions, and more than
 * INT_MAX values; those, too, which an empty blob would have were it not for its
 * dimensions of 0, because layers multiply a part of the dimensions.
 */
int CheckedCount(const std::vector<int>& shape);

/// @brief Refuses an index that comes from data, as a label, and is not one of
///        `size` places.
void CheckIndex(int index, int size);

/// @brief Refuses an empty bottom of a layer that divides by its size: there the
///        processor would end the process.
template <typename Dtype>
void CheckDivisors(const LayerParameter& layer,
    const std::vector<Blob<Dtype>*>& bottom);

// ---- memory

/**
 * @brief Sets how many bytes all blobs of the process may hold together, on the
 *        host and on devices; 0, the default, is no limit.
 *
 * What goes beyond is refused with an Error before it is allocated, and so are
 * files of models larger than that. What is held already stays.
 */
void SetMemoryLimit(size_t bytes);
size_t MemoryLimit();
/// @brief The bytes that all blobs hold now, whether there is a limit or not.
size_t MemoryInUse();

/// @brief One allocation's share of MemoryInUse.
class MemoryShare {
 public:
  MemoryShare() : bytes_(0) {}
  ~MemoryShare() { Release(); }
  /// @brief To be called before allocating; throws where the limit forbids it.
  void Take(size_t bytes);
  void Release();

 private:
  MemoryShare(const MemoryShare&);
  MemoryShare& operator=(const MemoryShare&);

  size_t bytes_;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_LIMITS_HPP_
