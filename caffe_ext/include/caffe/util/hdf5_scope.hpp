#ifndef CAFFE_UTIL_HDF5_SCOPE_HPP_
#define CAFFE_UTIL_HDF5_SCOPE_HPP_
#ifdef USE_HDF5

#include "hdf5.h"

namespace caffe {

/// @brief Closes an HDF5 file, and all that is open in it, where an exception
///        leaves the scope; else, the code that opened them closes them.
///
/// Refuses a file that leads to other files, by links or as places of its data:
/// it would read any that the user may read.
class HDF5Scope {
 public:
  explicit HDF5Scope(hid_t file);
  ~HDF5Scope();

 private:
  HDF5Scope(const HDF5Scope&);
  HDF5Scope& operator=(const HDF5Scope&);

  void CloseAll();

  const hid_t file_;
  const int exceptions_;
};

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_SCOPE_HPP_
