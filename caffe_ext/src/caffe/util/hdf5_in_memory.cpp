#ifdef USE_HDF5
#include "caffe/util/hdf5_in_memory.hpp"

#include <fstream>  // NOLINT(readability/streams)
#include <string>
#include <vector>

namespace caffe {

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
