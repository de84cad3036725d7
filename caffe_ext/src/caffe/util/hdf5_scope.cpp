#ifdef USE_HDF5
#include "caffe/util/hdf5_scope.hpp"

#include <exception>
#include <string>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

namespace {

// Caffe reports errors itself: no stack of HDF5's on stderr.
const herr_t quiet = H5Eset_auto2(H5E_DEFAULT, NULL, NULL);

bool InOtherFiles(hid_t dataset) {
  const hid_t creation = H5Dget_create_plist(dataset);
  const bool elsewhere = H5Pget_external_count(creation) != 0 ||
      H5Pget_layout(creation) == H5D_VIRTUAL;
  H5Pclose(creation);
  return elsewhere;
}

// Stops the visit, with its name, at a link that leads to another file.
herr_t FindForeign(hid_t group, const char* name, const H5L_info_t* link,
    void* found) {
  bool foreign = link->type != H5L_TYPE_HARD && link->type != H5L_TYPE_SOFT;
  if (link->type == H5L_TYPE_HARD) {
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) {
      return -1;
    }
    foreign = H5Iget_type(object) == H5I_DATASET && InOtherFiles(object);
    H5Oclose(object);
  }
  if (foreign) {
    *static_cast<std::string*>(found) = name;
  }
  return foreign;
}

}  // namespace

HDF5Scope::HDF5Scope(hid_t file)
    : file_(file), exceptions_(std::uncaught_exceptions()) {
  std::string foreign;
  const herr_t status =
      H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, FindForeign, &foreign);
  if (status != 0) {
    CloseAll();
    LOG(FATAL) << (status < 0 ? "the HDF5 file is damaged" :
        foreign + " of the HDF5 file lies in another file");
  }
}

HDF5Scope::~HDF5Scope() {
  if (std::uncaught_exceptions() > exceptions_) {
    CloseAll();
  }
}

void HDF5Scope::CloseAll() {
  const unsigned kAll = H5F_OBJ_ALL | H5F_OBJ_LOCAL;
  const ssize_t count = H5Fget_obj_count(file_, kAll);
  std::vector<hid_t> open(count > 0 ? count : 0);
  if (H5Fget_obj_ids(file_, kAll, open.size(), open.data()) >= 0) {
    for (hid_t id : open) {
      H5Idec_ref(id);
    }
  }
}

}  // namespace caffe
#endif  // USE_HDF5
