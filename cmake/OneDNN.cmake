# oneDNN 3 with OpenMP, for the layers (USE_ONEDNN) and compiled inference; sets
# ONEDNN, and ONEDNN_RPATH, where installed libraries find it.
set(ONEDNN OFF)
if(NOT BUILD_SHARED_LIBS OR FUZZ)
  return()  # pycaffe and compiled inference must share one libcaffe
endif()
# PyPI's packages onednn-cpu-gomp and onednn-devel-cpu-gomp lie where Python does.
execute_process(
  COMMAND ${Python_EXECUTABLE} -c "import sys; print(sys.prefix)"
  OUTPUT_VARIABLE python_prefix OUTPUT_STRIP_TRAILING_WHITESPACE)
find_package(dnnl 3 CONFIG QUIET HINTS ${python_prefix})
find_package(OpenMP QUIET COMPONENTS CXX)
if(NOT dnnl_FOUND OR NOT OpenMP_CXX_FOUND)
  message(STATUS "no oneDNN 3, or no OpenMP: Caffe's own convolution, and no "
          "compiled inference")
  return()
endif()
message(STATUS "oneDNN ${dnnl_VERSION}: ${dnnl_DIR}")
set(ONEDNN ON)
# In a Python package: in the interpreter's lib/. Elsewhere: where it was found,
# unless that is one of pip's folders for a single build.
set(ONEDNN_RPATH "$ORIGIN" "$ORIGIN/../../..")
if(dnnl_DIR MATCHES "^${python_prefix}/")
  list(APPEND ONEDNN_RPATH "${python_prefix}/lib")
endif()
