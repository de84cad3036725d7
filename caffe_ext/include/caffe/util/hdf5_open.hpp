#ifndef CAFFE_UTIL_HDF5_OPEN_HPP_
#define CAFFE_UTIL_HDF5_OPEN_HPP_
#ifdef USE_HDF5

#include <string>

#include "hdf5.h"

namespace caffe {

/**
 * @brief H5Fopen for reading; an Error where there is no such file, or the file
 *        is damaged.
 *
 * HDF5's library trusts what a file says of itself: a damaged one makes it free
 * what it never allocated, and ends the process. So a child process reads all of
 * the file first.
 */
hid_t OpenHDF5(const std::string& filename);

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_OPEN_HPP_
