#ifdef USE_HDF5
#include "caffe/util/hdf5_scope.hpp"

#include <exception>
#include <vector>

namespace caffe {

HDF5Scope::HDF5Scope(hid_t file)
    : file_(file), exceptions_(std::uncaught_exceptions()) {}

HDF5Scope::~HDF5Scope() {
  if (std::uncaught_exceptions() == exceptions_) {
    return;
  }
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
