#include <fcntl.h>
#include <sys/file.h>
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

string HiddenStart(const string& name) {
  return "." + fs::path(name).filename().string() + ".";
}

string FolderOf(const string& name) {
  const fs::path folder = fs::path(name).parent_path();
  return folder.empty() ? "." : folder.string();
}

// The new name, too, is on the disk; where folders cannot be synced, the file
// system does it.
void SyncFolder(const string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY);
  if (fd != -1) {
    fsync(fd);
    close(fd);
  }
}

// What a kill has left between two names: no process has a lock on it.
void RemoveLeftovers(const string& target) {
  const string start = HiddenStart(target);
  boost::system::error_code unreadable;
  for (fs::directory_iterator entry(FolderOf(target), unreadable), end;
       entry != end; entry.increment(unreadable)) {
    const fs::path& path = entry->path();
    if (path.filename().string().compare(0, start.size(), start) == 0 &&
        path.extension() == ".new") {
      const int fd = open(path.c_str(), O_RDONLY);
      if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        unlink(path.c_str());
      }
      if (fd != -1) {
        close(fd);
      }
    }
  }
}

}  // namespace

AtomicFile::AtomicFile(const string& filename)
    : filename_(filename), target_(filename), temporary_(filename), fd_(-1),
      mode_(-1) {
  boost::system::error_code missing;
  const fs::path there = fs::canonical(filename, missing);
  struct stat status;
  if (!missing && stat(there.c_str(), &status) == 0) {
    target_ = there.string();
    if (!S_ISREG(status.st_mode)) {
      return;
    }
    mode_ = status.st_mode & 07777;
  }
  if (!OpenNameless(FolderOf(target_))) {
    hidden_ = temporary_ = HiddenName("");
    fd_ = open(hidden_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  }
  CHECK_NE(fd_, -1) << "Couldn't open " << filename_ << " to write: "
      << strerror(errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ != -1) {
    close(fd_);
  }
  if (!hidden_.empty()) {
    unlink(hidden_.c_str());
  }
}

void AtomicFile::Commit(bool written) {
  if (!written || (fd_ != -1 && !PutInPlace())) {
    const int error = errno;
    LOG(FATAL) << "Couldn't write " << filename_ << ": " << strerror(error);
  }
}

bool AtomicFile::OpenNameless(const string& folder) {
#ifdef O_TMPFILE
  fd_ = open(folder.c_str(), O_TMPFILE | O_RDWR, 0666);
  if (fd_ == -1) {
    return false;
  }
  temporary_ = "/proc/self/fd/" + std::to_string(fd_);
  if (access(temporary_.c_str(), W_OK) == 0) {
    return true;
  }
  close(fd_);
#endif
  return false;
}

bool AtomicFile::PutInPlace() {
  // Another user's file may be replaced in a folder of one's own.
  LOG_IF(WARNING, mode_ != -1 && fchmod(fd_, mode_) != 0)
      << filename_ << ": its mode is lost";
  if (fsync(fd_) != 0 ||
      !(hidden_.empty() ? Link(target_) || Replace() : Rename())) {
    return false;
  }
  hidden_.clear();
  SyncFolder(FolderOf(target_));
  return true;
}

bool AtomicFile::Link(const string& name) const {
  return linkat(AT_FDCWD, temporary_.c_str(), AT_FDCWD, name.c_str(),
      AT_SYMLINK_FOLLOW) == 0;
}

bool AtomicFile::Rename() const {
  return std::rename(hidden_.c_str(), target_.c_str()) == 0;
}

bool AtomicFile::Replace() {
  if (errno != EEXIST) {
    return false;
  }
  // It takes a name, for a moment; the lock says that this process is alive.
  RemoveLeftovers(target_);
  flock(fd_, LOCK_EX | LOCK_NB);
  const string name = HiddenName(".new");
  if (!Link(name)) {
    return false;
  }
  hidden_ = name;
  return Rename();
}

string AtomicFile::HiddenName(const string& end) const {
  return fs::unique_path(fs::path(target_).parent_path() /
      (HiddenStart(target_) + "%%%%-%%%%" + end)).string();
}

}  // namespace caffe
