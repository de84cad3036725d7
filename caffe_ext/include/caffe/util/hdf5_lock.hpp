#ifndef CAFFE_UTIL_HDF5_LOCK_HPP_
#define CAFFE_UTIL_HDF5_LOCK_HPP_
#ifdef USE_HDF5

#include <mutex>

#include "hdf5.h"

namespace caffe {

/// @brief While it lives, Caffe's other threads stay out of HDF5: few builds of
///        it lock for themselves, and its high-level functions never do. What
///        fails, Caffe reports: no stack of HDF5's on stderr.
class HDF5Lock {
 public:
  HDF5Lock();
  /// @brief In a child process, whose one thread holds what its parent's held.
  static void RenewAfterFork();

 private:
  std::lock_guard<std::recursive_mutex> lock_;
};

/// @brief HDF5's own, locked: within this namespace, it goes first.
htri_t H5Fis_hdf5(const char* file);

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_LOCK_HPP_
