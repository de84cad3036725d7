#ifndef CAFFE_UTIL_ONEDNN_WORKSPACE_HPP_
#define CAFFE_UTIL_ONEDNN_WORKSPACE_HPP_

#include "caffe/util/onednn.hpp"

namespace caffe {
namespace onednn {

/// @brief An array of the caller's.
inline dnnl::memory At(const dnnl::memory::desc& desc, const float* data) {
  return dnnl::memory(desc, Cpu(), const_cast<float*>(data));
}

/// @brief What lives during one pass, in memory that all of a thread's passes share.
class Workspace {
 public:
  explicit Workspace(size_t bytes) : used_(0) {
    dnnl::memory& all = All();
    if (!all || bytes > all.get_desc().get_size()) {
      all = dnnl::memory();  // first, or there would be both
      all = dnnl::memory(Plain({static_cast<dnnl::memory::dim>(bytes)},
                               dnnl::memory::data_type::u8), Cpu());
    }
  }

  static size_t Need(const dnnl::memory::desc& desc) {
    const size_t kLine = 64;
    return (desc.get_size() + kLine - 1) / kLine * kLine;
  }

  dnnl::memory Take(const dnnl::memory::desc& desc) {
    char* data = static_cast<char*>(All().get_data_handle()) + used_;
    used_ += Need(desc);
    return dnnl::memory(desc, Cpu(), data);
  }

 private:
  static dnnl::memory& All() {
    static thread_local dnnl::memory all;
    return all;
  }

  size_t used_;
};

/// @brief Copies between an array in Caffe's order and one in a pass's own.
class Reordering {
 public:
  enum Direction { TO_PASS, FROM_PASS, ADD_FROM_PASS };

  Reordering(const dnnl::memory::dims& dims, const dnnl::memory::desc& array,
             Direction direction)
      : plain_(Plain(dims)), array_(array),
        same_(direction != ADD_FROM_PASS && plain_ == array) {
    if (same_) {
      return;
    }
    dnnl::primitive_attr attributes;
    if (direction == ADD_FROM_PASS) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attributes.set_post_ops(sum);
    }
    const bool to_pass = direction == TO_PASS;
    copy_ = dnnl::reorder(dnnl::reorder::primitive_desc(
        Cpu(), to_pass ? plain_ : array_, Cpu(), to_pass ? array_ : plain_,
        attributes));
  }

  size_t Need() const { return same_ ? 0 : Workspace::Need(array_); }

  /// @brief The pass's array, filled.
  dnnl::memory Read(const float* plain, Workspace* space) {
    dnnl::memory array = Room(plain, space);
    if (!same_) {
      dnnl::memory from = At(plain_, plain);
      copy_.execute(Stream(), from, array);
    }
    return array;
  }

  /// @brief The pass's array, to be filled and handed to Write.
  dnnl::memory Room(const float* plain, Workspace* space) const {
    return same_ ? At(array_, plain) : space->Take(array_);
  }

  void Write(dnnl::memory array, float* plain) {
    if (!same_) {
      dnnl::memory to = At(plain_, plain);
      copy_.execute(Stream(), array, to);
    }
  }

 private:
  dnnl::memory::desc plain_, array_;
  bool same_;
  dnnl::reorder copy_;
};

}  // namespace onednn
}  // namespace caffe

#endif  // CAFFE_UTIL_ONEDNN_WORKSPACE_HPP_
