#ifdef USE_HDF5
#include "caffe/util/hdf5_open.hpp"

#include <fcntl.h>
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

// The child's life; it says so where it reaches its end.
void ReadAndTell(const std::function<void()>& read, int seconds, int parent) {
  in_child = true;
  HDF5Lock::RenewAfterFork();
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
  const bool told = write(parent, "", 1) == 1;
  _exit(told ? 0 : 1);
}

}  // namespace

bool ReadsHDF5Ahead() { return in_child; }

hid_t OpenHDF5(const string& filename, const std::function<void()>& read) {
  struct stat state;
  CHECK_EQ(stat(filename.c_str(), &state), 0) << filename << ": "
      << strerror(errno);
  if (!in_child) {
    int ends[2];
    CHECK_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0) << "pipe: "
        << strerror(errno);
    const pid_t child = fork();
    if (child == 0) {
      // 8 MB a second at least
      ReadAndTell(read, 5 + (state.st_size >> 23), ends[1]);
    }
    // Somebody else, or nobody, may be who learns of a child's end.
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    char told;
    const bool sound = child > 0 && ::read(ends[0], &told, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    CHECK_GE(child, 0) << "no process to read " << filename << " first";
    CHECK(sound) << filename << " is damaged: HDF5's library fails on it";
  }
  const hid_t file = H5Fopen(filename.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK_GE(file, 0) << filename << " is no HDF5 file, or a damaged one";
  return file;
}

}  // namespace caffe
#endif  // USE_HDF5
