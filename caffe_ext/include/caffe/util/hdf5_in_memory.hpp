#ifndef CAFFE_UTIL_HDF5_IN_MEMORY_HPP_
#define CAFFE_UTIL_HDF5_IN_MEMORY_HPP_
#ifdef USE_HDF5
#include <string>

#include "hdf5.h"

namespace caffe {

/// @brief A new HDF5 file in memory. HDF5 itself, when a disk is full, cannot
///        close what it has begun to write, and ends the process at its exit.
hid_t CreateHDF5InMemory();
/// @brief Writes the bytes of such a file and closes it; false where that fails.
bool WriteHDF5(hid_t file, const std::string& path);

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_IN_MEMORY_HPP_
