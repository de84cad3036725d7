#ifndef CAFFE_TEST_TEST_ERROR_UTIL_HPP_
#define CAFFE_TEST_TEST_ERROR_UTIL_HPP_

#include <regex>  // NOLINT(build/c++11)

#include "gtest/gtest.h"

#include "caffe/common.hpp"

/// @brief The statement throws a caffe::Error whose text has the pattern in it.
#define EXPECT_ERROR(statement, pattern)                             \
  try {                                                              \
    statement;                                                       \
    ADD_FAILURE() << #statement << ": no error";                     \
  } catch (const ::caffe::Error& error) {                            \
    EXPECT_TRUE(std::regex_search(error.what(), std::regex(pattern))) \
        << error.what();                                             \
  }

#endif  // CAFFE_TEST_TEST_ERROR_UTIL_HPP_
