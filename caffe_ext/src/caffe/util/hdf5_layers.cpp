#ifdef USE_HDF5
#include "caffe/util/hdf5_layers.hpp"

#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "hdf5_hl.h"

namespace caffe {

namespace {

bool IsGroup(hid_t parent, const char* name) {
  const hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
  const bool group = H5Iget_type(object) == H5I_GROUP;
  H5Oclose(object);
  return group;
}

herr_t AddGroup(hid_t parent, const char* path, const H5L_info_t*,
    void* paths) {
  if (IsGroup(parent, path)) {
    static_cast<std::vector<std::string>*>(paths)->push_back(path);
  }
  return 0;
}

herr_t CountArray(hid_t parent, const char* name, const H5L_info_t*,
    void* count) {
  *static_cast<int*>(count) += !IsGroup(parent, name);
  return 0;
}

}  // namespace

std::vector<std::string> HDF5Layers(hid_t group) {
  std::vector<std::string> paths;
  CHECK_GE(H5Lvisit(group, H5_INDEX_NAME, H5_ITER_INC, AddGroup, &paths), 0)
      << "Error reading weights: the file is damaged";
  return paths;
}

int HDF5ArrayCount(hid_t group) {
  int count = 0;
  CHECK_GE(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, CountArray,
      &count), 0) << "Error reading weights: the file is damaged";
  return count;
}

hid_t MakeHDF5Layer(hid_t group, const std::string& path) {
  // A group may be there on the way to another layer's.
  if (H5LTpath_valid(group, path.c_str(), true) > 0) {
    return H5Gopen2(group, path.c_str(), H5P_DEFAULT);
  }
  const hid_t with_parents = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(with_parents, 1);
  const hid_t layer = H5Gcreate2(group, path.c_str(), with_parents,
      H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(with_parents);
  return layer;
}

}  // namespace caffe
#endif  // USE_HDF5
