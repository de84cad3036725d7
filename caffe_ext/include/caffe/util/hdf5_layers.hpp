#ifndef CAFFE_UTIL_HDF5_LAYERS_HPP_
#define CAFFE_UTIL_HDF5_LAYERS_HPP_
#ifdef USE_HDF5

#include <string>
#include <vector>

#include "hdf5.h"

namespace caffe {

// Layers in HDF5 files of weights. To HDF5 a name with slashes, as all of SKNet's
// have, is a path of groups in groups, which BVLC's Caffe neither makes nor finds.

/// @brief The paths of all groups within a group, at any depth.
std::vector<std::string> HDF5Layers(hid_t group);
/// @brief How many arrays a group has itself, besides other groups.
int HDF5ArrayCount(hid_t group);
/// @brief Opens a group by its path; makes it, and those on the way, where there
///        is none. Negative where that fails.
hid_t MakeHDF5Layer(hid_t group, const std::string& path);

}  // namespace caffe

#endif  // USE_HDF5
#endif  // CAFFE_UTIL_HDF5_LAYERS_HPP_
