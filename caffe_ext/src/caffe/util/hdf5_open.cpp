#ifdef USE_HDF5
#include "caffe/util/hdf5_open.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "caffe/common.hpp"
#include "caffe/util/hdf5_lock.hpp"

namespace caffe {

namespace {

bool in_child = false;

// Ends the child; by a signal where the library fails.
void ReadAndExit(const std::function<void()>& read, int seconds) {
  in_child = true;
  HDF5Lock::RenewAfterFork();
  FLAGS_minloglevel = google::GLOG_FATAL;  // another thread may hold glog's lock
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU, SIGALRM}) {
    std::signal(signal, SIG_DFL);
  }
  const rlimit no_core = {0, 0}, time = {rlim_t(seconds), rlim_t(seconds)};
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_CPU, &time);
  alarm(20 * seconds);
  try {
    read();
  } catch (...) {  // the parent will meet it, too
  }
  _exit(0);
}

}  // namespace

hid_t OpenHDF5(const string& filename, const std::function<void()>& read) {
  struct stat state;
  CHECK_EQ(stat(filename.c_str(), &state), 0) << filename << ": "
      << strerror(errno);
  if (!in_child) {
    const pid_t child = fork();
    CHECK_GE(child, 0) << "fork: " << strerror(errno);
    if (child == 0) {
      ReadAndExit(read, 5 + (state.st_size >> 23));  // 8 MB a second at least
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
      CHECK_EQ(errno, EINTR) << "waitpid: " << strerror(errno);
    }
    CHECK_EQ(status, 0) << filename << " is damaged: HDF5's library fails on it";
  }
  const hid_t file = H5Fopen(filename.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK_GE(file, 0) << filename << " is no HDF5 file, or a damaged one";
  return file;
}

}  // namespace caffe
#endif  // USE_HDF5
