#ifndef CAFFE_UTIL_ATOMIC_FILE_HPP_
#define CAFFE_UTIL_ATOMIC_FILE_HPP_

#include <string>

#include "caffe/common.hpp"

namespace caffe {

/**
 * @brief A file that gets its name when it is whole, and leaves what had that
 *        name before as it is until then.
 *
 * It is opened by the name temporary(). Until it is whole it is in no folder,
 * where the system knows such files, so that nothing is left of it if the process
 * is killed; elsewhere it has a hidden name in the same folder. A link's target is
 * replaced, not the link; a file that is there keeps its mode. What is no regular
 * file (a device, a pipe) is itself what is written.
 */
class AtomicFile {
 public:
  explicit AtomicFile(const string& filename);
  /// @brief Removes what was not committed.
  ~AtomicFile();

  const string& temporary() const { return temporary_; }

  /// @brief Puts the file in its place, on the disk, too; where that fails, or
  ///        writing has (with errno telling why), it is removed, and fatal.
  void Commit(bool written);

 private:
  bool OpenNameless(const string& folder);
  bool PutInPlace();
  /// @brief Gives the file that has no name one that nothing has.
  bool Link(const string& name) const;
  /// @brief Gives the hidden file the target's name.
  bool Rename() const;
  /// @brief Gives the file that has no name the target's, which something has.
  bool Replace();
  string HiddenName(const string& end) const;

  const string filename_;
  string target_, temporary_;
  /// @brief Of the file beside the target, if it has one.
  string hidden_;
  /// @brief Of the file, and of the one that it replaces (-1: none).
  int fd_, mode_;

  DISABLE_COPY_AND_ASSIGN(AtomicFile);
};

}  // namespace caffe

#endif  // CAFFE_UTIL_ATOMIC_FILE_HPP_
