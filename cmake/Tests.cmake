# Caffe's own gtest suite with the tests of our layers in it.
add_library(caffe_gtest STATIC EXCLUDE_FROM_ALL ${STAGED}/src/gtest/gtest-all.cpp)
target_include_directories(caffe_gtest PUBLIC ${STAGED}/src)
target_compile_features(caffe_gtest PUBLIC cxx_std_17)

file(GLOB test_sources CONFIGURE_DEPENDS ${STAGED}/src/caffe/test/*.cpp)
if(TESTS)
  set(test_sources ${STAGED}/src/caffe/test/test_caffe_main.cpp)
  foreach(test ${TESTS})
    list(APPEND test_sources ${STAGED}/src/caffe/test/test_${test}.cpp)
  endforeach()
endif()
if(NOT CPU_ONLY)
  file(GLOB test_cuda CONFIGURE_DEPENDS ${STAGED}/src/caffe/test/*.cu)
  list(APPEND test_sources ${test_cuda})
endif()
add_executable(caffe_test EXCLUDE_FROM_ALL ${test_sources})
target_link_libraries(caffe_test PRIVATE caffe caffe_gtest Threads::Threads)
if(USE_OPENCV)
  target_link_libraries(caffe_test PRIVATE opencv_imgcodecs)
endif()
if(ONEDNN)
  target_link_libraries(caffe_test PRIVATE caffe_engine OpenMP::OpenMP_CXX)
  target_compile_definitions(caffe_test PRIVATE USE_ONEDNN USE_ENGINE)
  # Not among what the library exports.
  target_sources(caffe_test PRIVATE ${PROJECT_SOURCE_DIR}/caffe_ext/engine/team.cpp)
  target_include_directories(caffe_test PRIVATE ${PROJECT_SOURCE_DIR}/caffe_ext)
endif()
set_target_properties(caffe_test PROPERTIES
  OUTPUT_NAME test.testbin
  UNITY_BUILD OFF  # each has helpers of its own, of the same names
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
# What they time is libcaffe's; optimised less, they compile in half the time.
target_compile_options(caffe_test PRIVATE
  "$<$<AND:$<CONFIG:Release>,$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>>:-O1>")
own_warnings(caffe_test)

# The suite reads src/caffe/test/test_data and examples/images from where it
# runs; tests/test_caffe.py lays that folder out and runs it.
add_custom_target(runtest
  COMMAND ${Python_EXECUTABLE} -m pytest ${PROJECT_SOURCE_DIR}/tests/test_caffe.py
  DEPENDS caffe_test USES_TERMINAL)
