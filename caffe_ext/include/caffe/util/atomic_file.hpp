#ifndef CAFFE_UTIL_ATOMIC_FILE_HPP_
#define CAFFE_UTIL_ATOMIC_FILE_HPP_

#include <string>

#include "caffe/common.hpp"

namespace caffe {

/**
 * @brief A file that gets its name when it is whole, and leaves what had that
 *        name before as it is until then.
 *
 * It is written under temporary(), a hidden name in the same folder. A link's
 * target is replaced, not the link; a file that is there keeps its mode. What is
 * no regular file (a device, a pipe) is itself what is written.
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
  const string filename_;
  string target_, temporary_;

  DISABLE_COPY_AND_ASSIGN(AtomicFile);
};

}  // namespace caffe

#endif  // CAFFE_UTIL_ATOMIC_FILE_HPP_
