#ifdef USE_HDF5
#include "caffe/util/hdf5_open.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "hdf5_hl.h"

#include "caffe/common.hpp"
#include "caffe/util/limits.hpp"

namespace caffe {

namespace {

herr_t Pass(hid_t, const char*, const H5L_info_t*, void*) { return 0; }

// Calls of util/hdf5.cpp, net.cpp and sgd_solver.cpp. What they refuse to read
// is not read here either.
void ReadDataset(hid_t file, const char* name) {
  int axes = 0;
  H5T_class_t kind;
  size_t size = 0;
  if (H5LTget_dataset_ndims(file, name, &axes) < 0 || axes > H5S_MAX_RANK) {
    return;
  }
  std::vector<hsize_t> dims(axes + 1, 1);
  if (H5LTget_dataset_info(file, name, dims.data(), &kind, &size) < 0) {
    return;
  }
  hsize_t count = 1;
  for (int i = 0; i < axes; ++i) {
    if (dims[i] != 0 && count > INT_MAX / dims[i]) { return; }
    count *= dims[i];
  }
  const size_t limit = MemoryLimit();
  if (kind == H5T_STRING && size <= (1 << 20)) {
    std::vector<char> text((count + 1) * (size + 1));
    H5LTread_dataset_string(file, name, text.data());
  } else if ((kind == H5T_FLOAT || kind == H5T_INTEGER) && count > 0 &&
             (limit == 0 || count * sizeof(float) <= limit)) {
    std::vector<float> values(count);
    H5LTread_dataset_float(file, name, values.data());
  }
}

herr_t ReadObject(hid_t file, const char* name, const H5O_info_t* info, void*) {
  if (info->type == H5O_TYPE_DATASET) {
    ReadDataset(file, name);
  } else if (info->type == H5O_TYPE_GROUP) {
    H5Literate_by_name(file, name, H5_INDEX_NAME, H5_ITER_INC, NULL, Pass, NULL,
                       H5P_DEFAULT);
  }
  return 0;
}

// Ends the child process, by a signal where HDF5 fails.
void ReadAllAndExit(const char* filename, int seconds) {
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU}) {
    std::signal(signal, SIG_DFL);
  }
  const rlimit no_core = {0, 0}, time = {rlim_t(seconds), rlim_t(seconds)};
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_CPU, &time);
  try {
    const hid_t file = H5Fopen(filename, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file >= 0) {
      H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, ReadObject, NULL);
      H5Fclose(file);
    }
  } catch (...) {  // no memory: the reader will say so
  }
  _exit(0);
}

}  // namespace

hid_t OpenHDF5(const string& filename) {
  struct stat state;
  CHECK_EQ(stat(filename.c_str(), &state), 0) << filename << ": "
      << strerror(errno);
  const int seconds = 5 + (state.st_size >> 23);  // 8 MB a second, at the least
  const pid_t child = fork();
  CHECK_GE(child, 0) << "fork: " << strerror(errno);
  if (child == 0) {
    ReadAllAndExit(filename.c_str(), seconds);
  }
  int status;
  while (waitpid(child, &status, 0) < 0) {
    CHECK_EQ(errno, EINTR) << "waitpid: " << strerror(errno);
  }
  CHECK_EQ(status, 0) << filename << " is damaged: HDF5's library fails on it";
  const hid_t file = H5Fopen(filename.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK_GE(file, 0) << filename << " is no HDF5 file, or a damaged one";
  return file;
}

}  // namespace caffe
#endif  // USE_HDF5
