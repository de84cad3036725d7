#ifdef USE_HDF5
#include "caffe/util/hdf5_scope.hpp"

#include <exception>
#include <fstream>  // NOLINT(readability/streams)
#include <string>
#include <vector>

namespace caffe {

namespace {

// Caffe reports errors itself: no stack of HDF5's on stderr.
const herr_t quiet = H5Eset_auto2(H5E_DEFAULT, NULL, NULL);

}  // namespace

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

hid_t CreateHDF5InMemory() {
  const size_t kIncrement = 1 << 20;
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, kIncrement, false);
  // The name of no file: none is made.
  const hid_t file = H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  return file;
}

bool WriteHDF5(hid_t file, const std::string& path) {
  H5Fflush(file, H5F_SCOPE_LOCAL);
  const ssize_t size = H5Fget_file_image(file, NULL, 0);
  std::vector<char> image(size > 0 ? size : 0);
  const bool complete = size > 0 &&
      H5Fget_file_image(file, image.data(), image.size()) == size;
  if (H5Fclose(file) < 0 || !complete) {
    return false;
  }
  std::ofstream output(path.c_str(), std::ios::binary | std::ios::trunc);
  output.write(image.data(), image.size());
  output.close();
  return output.good();
}

}  // namespace caffe
#endif  // USE_HDF5
