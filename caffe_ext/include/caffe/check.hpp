#ifndef CAFFE_CHECK_HPP_
#define CAFFE_CHECK_HPP_

#include <glog/logging.h>

#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include "caffe/error.hpp"

// glog's CHECK... and LOG(FATAL), as they are written everywhere in Caffe, throw
// a caffe::Error. caffe/common.hpp includes this file; the other macros stay
// glog's. Three of glog's macros carry all that ends a process: the one behind
// LOG(FATAL), LOG_IF(FATAL, ...) and CHECK, and those behind CHECK_EQ, CHECK_STREQ
// and their like. DCHECK... and CUDA_CHECK and its like stand on these.
//
// Not in destructors: CAFFE_LOG_ERRORS.

namespace caffe {

/// @brief Throws what has been streamed, at the end of LOG(FATAL) << ...; not in
///        a destructor, as glog does, which must not throw where an operand did.
class ErrorThrower {
 public:
  ErrorThrower(const char* file, int line) : file_(file), line_(line) {}
  // & binds less tightly than <<.
  [[noreturn]] void operator&(const std::ostream& text) const {
    throw Error(file_, line_,
                static_cast<const std::ostringstream&>(text).str());
  }

 private:
  const char* file_;
  int line_;
};

/// @brief LOG_IF's "LogMessageVoidify() & LOG(FATAL)".
template <typename Voidify>
inline const ErrorThrower& operator&(const Voidify&,
    const ErrorThrower& thrower) {
  return thrower;
}

/// @brief What LOG(FATAL) streams to.
class ErrorText {
 public:
  std::ostream& stream() { return text_; }

 private:
  std::ostringstream text_;
};

template <typename T>
inline void StreamOperand(std::ostream* out, const T& value) {
  if constexpr (std::is_arithmetic<T>::value) {
    *out << +value;  // characters as numbers
  } else {
    *out << value;
  }
}

/// @brief "a == b (1 vs. 2)", as glog has it.
template <typename A, typename B>
std::unique_ptr<std::string> FailedCheck(const char* text, const A& a,
    const B& b) {
  std::ostringstream out;
  out << text << " (";
  StreamOperand(&out, a);
  out << " vs. ";
  StreamOperand(&out, b);
  out << ")";
  return std::unique_ptr<std::string>(new std::string(out.str()));
}

// By value: constants of a class need no definition to be checked.
#define CAFFE_CHECK_FUNCTION(name, op)                                       \
  template <typename A, typename B>                                          \
  inline std::unique_ptr<std::string> Check##name(A a, B b,                  \
      const char* text) {                                                    \
    return a op b ? nullptr : FailedCheck(text, a, b);                       \
  }
CAFFE_CHECK_FUNCTION(_EQ, ==)
CAFFE_CHECK_FUNCTION(_NE, !=)
CAFFE_CHECK_FUNCTION(_LE, <=)
CAFFE_CHECK_FUNCTION(_LT, <)
CAFFE_CHECK_FUNCTION(_GE, >=)
CAFFE_CHECK_FUNCTION(_GT, >)
#undef CAFFE_CHECK_FUNCTION

template <typename T>
inline T&& CheckNotNull(const char* file, int line, const char* text,
    T&& pointer) {
  if (pointer == nullptr) {
    throw Error(file, line, text);
  }
  return std::forward<T>(pointer);
}

}  // namespace caffe

#undef COMPACT_GOOGLE_LOG_FATAL
#define COMPACT_GOOGLE_LOG_FATAL \
  ::caffe::ErrorThrower(__FILE__, __LINE__) & ::caffe::ErrorText()

#undef CHECK_OP
#define CHECK_OP(name, op, val1, val2)                                      \
  while (const std::unique_ptr<std::string> caffe_failed_check =            \
         ::caffe::Check##name(val1, val2, #val1 " " #op " " #val2))         \
    LOG(FATAL) << "Check failed: " << *caffe_failed_check << " "

// CHECK_STREQ and its like: glog's own functions, which leave a text to free.
#undef CHECK_STROP
#define CHECK_STROP(func, op, expected, s1, s2)                             \
  while (const std::unique_ptr<std::string> caffe_failed_check{             \
         google::Check##func##expected##Impl((s1), (s2),                    \
                                             #s1 " " #op " " #s2)})         \
    LOG(FATAL) << *caffe_failed_check

#undef CHECK_NOTNULL
#define CHECK_NOTNULL(val)                        \
  ::caffe::CheckNotNull(__FILE__, __LINE__,       \
      "Check failed: '" #val "' must be non-NULL", (val))

/// @brief Runs statements that must not throw, as in a destructor: an error is
///        logged, and the rest goes undone.
#define CAFFE_LOG_ERRORS(...)                     \
  try {                                           \
    __VA_ARGS__;                                  \
  } catch (const ::caffe::Error& error) {         \
    LOG(ERROR) << error.what();                   \
  }

#endif  // CAFFE_CHECK_HPP_
