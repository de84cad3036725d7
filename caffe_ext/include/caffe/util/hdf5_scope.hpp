#ifndef CAFFE_UTIL_HDF5_SCOPE_HPP_
#define CAFFE_UTIL_HDF5_SCOPE_HPP_
#ifdef USE_HDF5

#include <string>

#include "hdf5.h"

namespace caffe {

/// @brief Closes an HDF5 file, and all that is open in it, where an exception
///        leaves the scope; else, the code that opened them closes them.
class HDF5Scope {
 public:
  explicit HDF5Scope(hid_t file);
  ~HDF5Scope();

 private:
  HDF5Scope(const HDF5Scope&);
  HDF5Scope& operator=(const HDF5Scope&);

  const hid_t file_;
  const int exceptions_;
};

/// @brief A new HDF5 file in memory. HDF5 itself, when a disk is full, cannot
///        close what it has begun to write, and ends the process at its exit.
hid_t CreateHDF5InMemory();
/// @brief Writes the bytes of such a file and closes it; false where that fails.
bool WriteHDF5(hid_t file, const std::string& path);

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_SCOPE_HPP_
