#ifndef CAFFE_ENGINE_GPU_OWNED_HPP_
#define CAFFE_ENGINE_GPU_OWNED_HPP_

namespace caffe {
namespace engine {

/// @brief A handle of a library's, which is given back with its owner: also of one
///        whose constructor throws.
template <typename Handle, auto Destroy>
class Owned {
 public:
  Owned() {}
  ~Owned() {
    if (handle_) { Destroy(handle_); }
  }
  operator Handle() const { return handle_; }
  /// @brief Where the library puts it.
  Handle* operator&() { return &handle_; }

 private:
  Owned(const Owned&);
  Owned& operator=(const Owned&);

  Handle handle_ = nullptr;
};

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_GPU_OWNED_HPP_
