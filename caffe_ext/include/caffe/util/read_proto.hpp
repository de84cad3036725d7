#ifndef CAFFE_UTIL_READ_PROTO_HPP_
#define CAFFE_UTIL_READ_PROTO_HPP_

#include <google/protobuf/message.h>

namespace caffe {

// What stands behind ReadProtoFromTextFile and ReadProtoFromBinaryFile. Errors
// name the file, and the line and column of text.
//
// A few bytes can stand for a message of many: so no file may hold more than
// kMaxMessages messages (sknet101's weights: 13,000), text no more than
// kMaxTextBytes, and binary files no more than protobuf's limit of INT_MAX bytes,
// nor than the memory limit.
const int kMaxMessages = 1 << 18;
const int kMaxTextBytes = 64 << 20;

void ReadText(const char* filename, google::protobuf::Message* proto);
void ReadBinary(const char* filename, google::protobuf::Message* proto);

}  // namespace caffe

#endif  // CAFFE_UTIL_READ_PROTO_HPP_
