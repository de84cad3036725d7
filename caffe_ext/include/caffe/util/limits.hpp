#ifndef CAFFE_UTIL_LIMITS_HPP_
#define CAFFE_UTIL_LIMITS_HPP_

#include <climits>
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

// ---- values of blobs that become indices, such as labels

#ifdef __CUDACC__
#define CAFFE_HOST_DEVICE __host__ __device__
#else
#define CAFFE_HOST_DEVICE
#endif

/// @brief The value without its fraction; INT_MIN where an int cannot hold that,
///        as of NaN: never an index.
template <typename Dtype>
CAFFE_HOST_DEVICE inline int ToInt(Dtype value) {
  const double kPast = -static_cast<double>(INT_MIN);
  return value >= -kPast && value < kPast ? static_cast<int>(value) : INT_MIN;
}
/// @brief Whether it is one of `count` things. Kernels, which cannot throw, ask
///        this before they read or write there.
CAFFE_HOST_DEVICE inline bool IsIndex(int index, int count) {
  return index >= 0 && index < count;
}
/// @brief The index, which must be one of `count` things.
int CheckedIndex(int index, int count);
/// @brief Where the result of a kernel is NaN, which it is where a label is none
///        of `count` classes: looks for such a label, to throw as on the CPU. It
///        may also be NaN of the kernel's other inputs.
template <typename Dtype>
void CheckLabels(Dtype result, const Blob<Dtype>& labels, int count,
    bool has_ignore_label, int ignore_label);

/// @brief Refuses an empty bottom of a layer that divides by its size: there the
///        processor would end the process.
template <typename Dtype>
void CheckDivisors(const LayerParameter& layer,
    const std::vector<Blob<Dtype>*>& bottom);

/// @brief Refuses one axis of a convolution's window: a kernel or stride below 1,
///        a negative pad or dilation, and lengths whose sums exceed an int.
void CheckWindow(int kernel, int stride, int pad, int dilation);

/// @brief Refuses another shape than before.
void CheckSameShape(const std::vector<int>& before,
    const std::vector<int>& after);
/// @brief layer->Reshape(bottom, top), which must not change a blob that the layer
///        works on in place: it would compute beyond the blob's memory.
template <typename Layer, typename Dtype>
void CheckedReshape(Layer* layer, const std::vector<Blob<Dtype>*>& bottom,
    const std::vector<Blob<Dtype>*>& top) {
  std::vector<std::vector<int> > shapes;
  for (const Blob<Dtype>* blob : bottom) {
    shapes.push_back(blob->shape());
  }
  layer->Reshape(bottom, top);
  for (size_t i = 0; i < bottom.size(); ++i) {
    CheckSameShape(shapes[i], bottom[i]->shape());
  }
}

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
