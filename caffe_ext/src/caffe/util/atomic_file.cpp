#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <boost/filesystem.hpp>

#include "caffe/util/atomic_file.hpp"

namespace caffe {

namespace {

namespace fs = boost::filesystem;

// What the file or folder has is on the disk.
bool Sync(const string& name) {
  const int fd = open(name.c_str(), O_RDONLY);
  const bool synced = fd != -1 && fsync(fd) == 0;
  if (fd != -1) {
    close(fd);
  }
  return synced;
}

}  // namespace

AtomicFile::AtomicFile(const string& filename)
    : filename_(filename), target_(filename), temporary_(filename) {
  boost::system::error_code missing;
  const fs::path there = fs::canonical(filename, missing);
  struct stat status;
  const bool exists = !missing && stat(there.c_str(), &status) == 0;
  if (exists) {
    target_ = there.string();
    if (!S_ISREG(status.st_mode)) {
      return;
    }
  }
  const fs::path target(target_);
  temporary_ = fs::unique_path(target.parent_path() /
      ("." + target.filename().string() + ".%%%%-%%%%")).string();
  const int fd = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  CHECK_NE(fd, -1) << "Couldn't open " << filename_ << " to write: "
      << strerror(errno);
  if (exists) {
    // Another user's file may be replaced in a folder of one's own.
    LOG_IF(WARNING, fchmod(fd, status.st_mode & 07777) != 0)
        << filename_ << ": its mode is lost";
  }
  close(fd);
}

AtomicFile::~AtomicFile() {
  if (temporary_ != filename_) {
    unlink(temporary_.c_str());
  }
}

void AtomicFile::Commit(bool written) {
  if (temporary_ == filename_) {
    CHECK(written) << "Couldn't write " << filename_ << ": "
        << strerror(errno);
    return;
  }
  if (!written || !Sync(temporary_) ||
      std::rename(temporary_.c_str(), target_.c_str()) != 0) {
    const int error = errno;
    unlink(temporary_.c_str());
    LOG(FATAL) << "Couldn't write " << filename_ << ": " << strerror(error);
  }
  temporary_ = filename_;
  // The new name, too; where folders cannot be synced, the file system does it.
  const fs::path folder = fs::path(target_).parent_path();
  Sync(folder.empty() ? "." : folder.string());
}

}  // namespace caffe
