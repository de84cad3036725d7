#ifndef FUZZ_MUTATE_PROTO_HPP_
#define FUZZ_MUTATE_PROTO_HPP_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <climits>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Mutates messages field by field, as bytes rarely stay a message. (Debian 12
// has no libprotobuf-mutator.)
namespace fuzz {

namespace pb = google::protobuf;

class ProtoMutator {
 public:
  /// @brief Strings become one of `words`, or another one of the message.
  ProtoMutator(unsigned seed, const std::vector<std::string>& words)
      : random_(seed), words_(words) {}

  void Mutate(pb::Message* message) {
    nodes_.clear();
    strings_ = words_;
    Collect(message);
    pb::Message* node = nodes_[Below(nodes_.size())];
    const int kinds = node->GetDescriptor()->field_count();
    std::vector<const pb::FieldDescriptor*> set;
    node->GetReflection()->ListFields(*node, &set);
    if (!set.empty() && Below(4)) {
      MutateField(node, set[Below(set.size())]);
    } else if (kinds > 0) {
      AddField(node, node->GetDescriptor()->field(Below(kinds)), 0);
    }
  }

  /// @brief Gives `message` parts of `other`, one of the same type.
  void Cross(const pb::Message& other, pb::Message* message) {
    std::vector<const pb::FieldDescriptor*> set;
    other.GetReflection()->ListFields(other, &set);
    for (const pb::FieldDescriptor* field : set) {
      if (!field->is_repeated() || !field->message_type()) { continue; }
      const pb::Reflection& theirs = *other.GetReflection();
      const int count = theirs.FieldSize(other, field);
      const int first = Below(count), past = first + 1 + Below(count - first);
      for (int i = first; i < past; ++i) {
        message->GetReflection()->AddMessage(message, field)->CopyFrom(
            theirs.GetRepeatedMessage(other, field, i));
      }
    }
  }

  size_t Below(size_t limit) { return random_() % limit; }

 private:
  typedef pb::FieldDescriptor Field;

  void Collect(pb::Message* node) {
    nodes_.push_back(node);
    const pb::Reflection& access = *node->GetReflection();
    std::vector<const Field*> set;
    access.ListFields(*node, &set);
    for (const Field* field : set) {
      if (field->cpp_type() == Field::CPPTYPE_STRING) {
        strings_.push_back(field->is_repeated() ?
            access.GetRepeatedString(*node, field, 0) :
            access.GetString(*node, field));
      } else if (field->message_type()) {
        if (!field->is_repeated()) {
          Collect(access.MutableMessage(node, field));
        } else {
          for (int i = 0; i < access.FieldSize(*node, field); ++i) {
            Collect(access.MutableRepeatedMessage(node, field, i));
          }
        }
      }
    }
  }

  void MutateField(pb::Message* node, const Field* field) {
    const pb::Reflection& access = *node->GetReflection();
    const int kind = Below(8);
    if (!field->is_repeated()) {
      if (kind == 0) {
        access.ClearField(node, field);
      } else if (!field->message_type()) {
        Set(node, field, -1);
      }
      return;
    }
    const int count = access.FieldSize(*node, field), i = Below(count);
    if (kind == 0) {
      access.SwapElements(node, field, i, count - 1);
      access.RemoveLast(node, field);
    } else if (kind == 1) {
      access.SwapElements(node, field, i, Below(count));
    } else if (kind == 2) {
      AddField(node, field, 0);
    } else if (field->message_type()) {
      pb::Message* copy = access.AddMessage(node, field);
      copy->CopyFrom(access.GetRepeatedMessage(*node, field, i));
    } else {
      Set(node, field, i);
    }
  }

  void AddField(pb::Message* node, const Field* field, int depth) {
    const pb::Reflection& access = *node->GetReflection();
    if (!field->message_type()) {
      Set(node, field, field->is_repeated() ? access.FieldSize(*node, field) : -1);
      return;
    }
    pb::Message* inner = field->is_repeated() ? access.AddMessage(node, field) :
        access.MutableMessage(node, field);
    const pb::Descriptor* type = inner->GetDescriptor();
    for (int i = Below(4); i > 0 && depth < 4 && type->field_count() > 0; --i) {
      AddField(inner, type->field(Below(type->field_count())), depth + 1);
    }
  }

  // Sets a field, or element i of a repeated one; i may be one past the last.
  void Set(pb::Message* node, const Field* field, int i) {
    const pb::Reflection& access = *node->GetReflection();
    const bool one = !field->is_repeated();
    const bool add = !one && i == access.FieldSize(*node, field);
#define FUZZ_SET(CPPTYPE, Name, change)                                       \
    case Field::CPPTYPE_##CPPTYPE: {                                          \
      auto value = one ? access.Get##Name(*node, field) : add ?               \
          decltype(access.Get##Name(*node, field))() :                        \
          access.GetRepeated##Name(*node, field, i);                          \
      value = change;                                                         \
      if (one) {                                                              \
        access.Set##Name(node, field, value);                                 \
      } else if (add) {                                                       \
        access.Add##Name(node, field, value);                                 \
      } else {                                                                \
        access.SetRepeated##Name(node, field, i, value);                      \
      }                                                                       \
      break;                                                                  \
    }
    switch (field->cpp_type()) {
    FUZZ_SET(INT32, Int32, Integer(value))
    FUZZ_SET(INT64, Int64, Integer(value))
    FUZZ_SET(UINT32, UInt32, Integer(value))
    FUZZ_SET(UINT64, UInt64, Integer(value))
    FUZZ_SET(FLOAT, Float, Real(value))
    FUZZ_SET(DOUBLE, Double, Real(value))
    FUZZ_SET(BOOL, Bool, !value)
    FUZZ_SET(STRING, String, Text(value))
    case Field::CPPTYPE_ENUM: {
      const pb::EnumValueDescriptor* value =
          field->enum_type()->value(Below(field->enum_type()->value_count()));
      if (one) {
        access.SetEnum(node, field, value);
      } else if (add) {
        access.AddEnum(node, field, value);
      } else {
        access.SetRepeatedEnum(node, field, i, value);
      }
      break;
    }
    case Field::CPPTYPE_MESSAGE: break;
    }
#undef FUZZ_SET
  }

  template <typename T>
  T Integer(T value) {
    const int64_t kEdges[] = {INT_MAX, INT_MIN, INT64_MAX, INT64_MIN, UINT_MAX,
        65536, 46341, 1 << 30, 255, 1000, 100000};
    switch (Below(8)) {
    case 0: return kEdges[Below(sizeof(kEdges) / sizeof(*kEdges))];
    case 1: return -static_cast<uint64_t>(value);
    case 2: return value + uint64_t(1);
    case 3: return value - uint64_t(1);
    case 4: return value * uint64_t(2);
    default: return static_cast<int64_t>(Below(10)) - 1;
    }
  }

  template <typename T>
  T Real(T value) {
    const double kEdges[] = {0, -0., 1, -1, 0.5, 1e-45, 1e-6, 1e6, -1e6, 1e10,
        3e38, -3e38, HUGE_VAL, -HUGE_VAL, NAN};
    switch (Below(4)) {
    case 0: return -value;
    case 1: return value * T(2);
    case 2: return Below(10);
    default:
      return static_cast<T>(kEdges[Below(sizeof(kEdges) / sizeof(*kEdges))]);
    }
  }

  std::string Text(std::string value) {
    if (!strings_.empty() && Below(4)) { return strings_[Below(strings_.size())]; }
    const size_t size = value.size();
    value.resize(size + 16);
    value.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(&value[0]), size,
                                  value.size()));
    return value;
  }

  std::minstd_rand random_;
  const std::vector<std::string> words_;
  std::vector<std::string> strings_;
  std::vector<pb::Message*> nodes_;
};

/// @brief Protobuf's text or binary format.
struct Text {
  static bool Parse(const std::string& data, pb::Message* message) {
    // Caffe's reader keeps protobuf quiet.
    const char* const kFile = "mutated.prototxt";
    WriteFile(kFile, reinterpret_cast<const uint8_t*>(data.data()), data.size());
    try {
      return caffe::ReadProtoFromTextFile(kFile, message);
    } catch (const caffe::Error&) {
      return false;
    }
  }
  static std::string Print(const pb::Message& message) {
    std::string data;
    pb::TextFormat::PrintToString(message, &data);
    return data;
  }
};

struct Binary {
  static bool Parse(const std::string& data, pb::Message* message) {
    return message->ParsePartialFromString(data);
  }
  static std::string Print(const pb::Message& message) {
    return message.SerializePartialAsString();
  }
};

/// @brief libFuzzer's mutation of an input that holds a message.
template <typename Message, typename Format>
size_t MutateProto(uint8_t* data, size_t size, size_t max_size, unsigned seed,
    const std::vector<std::string>& words) {
  ProtoMutator mutator(seed, words);
  Message message;
  if (mutator.Below(8) == 0 ||
      !Format::Parse(std::string(data, data + size), &message)) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  for (int i = 1 + mutator.Below(3); i > 0; --i) { mutator.Mutate(&message); }
  const std::string result = Format::Print(message);
  if (result.size() > max_size) { return LLVMFuzzerMutate(data, size, max_size); }
  memcpy(data, result.data(), result.size());
  return result.size();
}

/// @brief libFuzzer's crossing of two such inputs.
template <typename Message, typename Format>
size_t CrossProtos(const uint8_t* data1, size_t size1, const uint8_t* data2,
    size_t size2, uint8_t* out, size_t max_size, unsigned seed) {
  Message message, other;
  if (!Format::Parse(std::string(data1, data1 + size1), &message) ||
      !Format::Parse(std::string(data2, data2 + size2), &other)) {
    return 0;
  }
  ProtoMutator(seed, {}).Cross(other, &message);
  const std::string result = Format::Print(message);
  if (result.size() > max_size) { return 0; }
  memcpy(out, result.data(), result.size());
  return result.size();
}

}  // namespace fuzz

/// @brief Defines both, for inputs of that message in that format.
#define FUZZ_PROTO(Message, Format, words)                                    \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,       \
      size_t max_size, unsigned seed) {                                       \
    return fuzz::MutateProto<Message, fuzz::Format>(data, size, max_size,     \
                                                    seed, words);             \
  }                                                                           \
  extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1,           \
      size_t size1, const uint8_t* data2, size_t size2, uint8_t* out,         \
      size_t max_size, unsigned seed) {                                       \
    return fuzz::CrossProtos<Message, fuzz::Format>(data1, size1, data2,      \
                                                    size2, out, max_size, seed); \
  }

#endif  // FUZZ_MUTATE_PROTO_HPP_
