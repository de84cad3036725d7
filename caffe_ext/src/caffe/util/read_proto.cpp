#include "caffe/util/read_proto.hpp"

#include <fcntl.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/text_format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

#include "caffe/common.hpp"
#include "caffe/util/limits.hpp"

namespace caffe {

namespace pb = google::protobuf;
using pb::io::CodedInputStream;

namespace {

const int kMaxDepth = 100;  // protobuf's own, for binary files

class File {
 public:
  explicit File(const char* name) : name_(name), fd_(open(name, O_RDONLY)) {
    CHECK(fd_ != -1 || errno == ENOENT) << name << ": " << strerror(errno);
    CHECK_NE(fd_, -1) << "File not found: " << name;
  }
  ~File() { close(fd_); }

  int fd() const { return fd_; }
  /// @brief 0 where it has none: a pipe.
  int64_t size() const {
    struct stat state;
    CHECK_EQ(fstat(fd_, &state), 0) << name_ << ": " << strerror(errno);
    CHECK(!S_ISDIR(state.st_mode)) << name_ << " is a directory";
    return state.st_size;
  }

 private:
  const char* const name_;
  const int fd_;
};

// Keeps protobuf's first complaint.
class FirstError : public pb::io::ErrorCollector {
 public:
#if GOOGLE_PROTOBUF_VERSION >= 4022000
  void RecordError(int line, pb::io::ColumnNumber column,
      absl::string_view message) override {
    Keep(line, column, string(message));
  }
#else
  void AddError(int line, pb::io::ColumnNumber column,
      const string& message) override {
    Keep(line, column, message);
  }
#endif
  const string& text() const { return text_; }

 private:
  void Keep(int line, int column, const string& message) {
    if (text_.empty()) {
      text_ = (line < 0 ? "" : std::to_string(line + 1) + ":" +
               std::to_string(column + 1) + ": ") + message;
    }
  }

  string text_;
};

string ReadAll(const char* filename) {
  File file(filename);
  file.size();
  pb::io::FileInputStream input(file.fd());
  string text;
  const void* part;
  int size;
  while (input.Next(&part, &size)) {
    CHECK_LE(text.size() + size, kMaxTextBytes)
        << filename << ": the bytes of a text file";
    text.append(static_cast<const char*>(part), size);
  }
  CHECK_EQ(input.GetErrno(), 0) << filename << ": "
      << strerror(input.GetErrno());
  return text;
}

// Walks over a message; false where it is damaged, or has groups, which Caffe's
// messages have not.
bool CountMessages(const pb::Descriptor* type, int depth,
    CodedInputStream* input, int* count) {
  CHECK_LE(++*count, kMaxMessages) << "the messages of a file";
  CHECK_LE(depth, kMaxDepth) << "the depth of a file's messages";
  while (const uint32_t tag = input->ReadTag()) {
    const pb::FieldDescriptor* field = type->FindFieldByNumber(tag >> 3);
    const pb::Descriptor* inner = field ? field->message_type() : NULL;
    uint64_t number;
    uint32_t size;
    bool good = false;
    *count += !field;  // kept, too
    switch (tag & 7) {
    case 0: good = input->ReadVarint64(&number); break;
    case 1: good = input->Skip(8); break;
    case 5: good = input->Skip(4); break;
    case 2:
      good = input->ReadVarint32(&size) && size <= INT_MAX;
      if (good && inner) {
        const CodedInputStream::Limit limit = input->PushLimit(size);
        good = CountMessages(inner, depth + 1, input, count) &&
            input->BytesUntilLimit() == 0;
        input->PopLimit(limit);
      } else {
        *count += field && !field->is_packable();  // a string
        good = good && input->Skip(size);
      }
      break;
    }
    if (!good) { return false; }
  }
  return true;
}

bool CheckMessages(const char* filename, const pb::Descriptor* type) {
  File file(filename);
  pb::io::FileInputStream input(file.fd());
  CodedInputStream coded(&input);
  coded.SetTotalBytesLimit(INT_MAX);
  int count = 0;
  return CountMessages(type, 0, &coded, &count);
}

}  // namespace

void ReadText(const char* filename, pb::Message* proto) {
  const string text = ReadAll(filename);
  CHECK_LE(std::count(text.begin(), text.end(), '{') +
           std::count(text.begin(), text.end(), '<'), kMaxMessages)
      << filename << ": the messages of a file";
  FirstError error;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(kMaxDepth);
  if (!parser.ParseFromString(text, proto)) {
    LOG(FATAL) << "Failed to parse " << proto->GetDescriptor()->name()
        << " file: " << filename << ":" << error.text();
  }
}

void ReadBinary(const char* filename, pb::Message* proto) {
  File file(filename);
  const int64_t size = file.size();
  CHECK_LE(size, INT_MAX) << filename << ": the bytes of a binary file";
  CHECK(MemoryLimit() == 0 || size <= MemoryLimit())
      << filename << " has " << size << " bytes, more than the memory limit of "
      << MemoryLimit();
  // A pipe, which has no size, can be read but once.
  const bool sound = size == 0 ||
      CheckMessages(filename, proto->GetDescriptor());
  pb::io::FileInputStream input(file.fd());
  CodedInputStream coded(&input);
  coded.SetTotalBytesLimit(INT_MAX);
  CHECK(sound && proto->ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage())
      << "Failed to parse " << proto->GetDescriptor()->name() << " file: "
      << filename;
}

}  // namespace caffe
