#ifndef CAFFE_UTIL_HDF5_OPEN_HPP_
#define CAFFE_UTIL_HDF5_OPEN_HPP_
#ifdef USE_HDF5

#include <functional>
#include <string>

#include "hdf5.h"

namespace caffe {

/**
 * @brief H5Fopen for reading; an Error where there is no such file, or HDF5's
 *        library fails on it.
 * @param read What the caller is about to do: its own function, once more.
 *
 * The library trusts what a file says of itself: a damaged one makes it free what
 * it never allocated, which ends the process. So a child process goes first: it
 * runs `read` on its copy of the memory. The caller holds an HDF5Lock, so that no
 * other thread is half-way through the library at that moment.
 */
hid_t OpenHDF5(const std::string& filename, const std::function<void()>& read);

/// @brief In that child nothing may be logged: at the fork another thread may have
///        held the C library's lock of the clock, which glog asks for the time.
bool ReadsHDF5Ahead();

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_OPEN_HPP_
