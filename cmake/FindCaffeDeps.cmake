# Finds the packages of the options in force; sets CAFFE_DEPS, a list of
# imported targets. Used by the build and by the installed CaffeConfig.cmake.
find_package(Threads REQUIRED)
find_package(Boost 1.66 CONFIG REQUIRED COMPONENTS thread filesystem)
find_package(gflags CONFIG REQUIRED)
find_package(glog CONFIG REQUIRED)
# protobuf from 22 on needs its own package file (Abseil); Debian 12 has none.
find_package(protobuf CONFIG QUIET)
if(NOT protobuf_FOUND)
  find_package(Protobuf 3.12 MODULE REQUIRED)
endif()
set(CAFFE_DEPS Threads::Threads Boost::headers Boost::thread Boost::filesystem
    gflags glog::glog protobuf::libprotobuf)

if(USE_HDF5)
  find_package(HDF5 REQUIRED COMPONENTS C HL)
  list(APPEND CAFFE_DEPS hdf5::hdf5 hdf5::hdf5_hl)
endif()
if(USE_LEVELDB)
  find_package(leveldb CONFIG REQUIRED)
  list(APPEND CAFFE_DEPS leveldb::leveldb)
endif()
if(USE_OPENCV)
  find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs)
  list(APPEND CAFFE_DEPS opencv_core opencv_imgproc)
endif()

# Libraries that come without a package file of their own.
function(caffe_find target header library)
  cmake_parse_arguments(arg "" "" "SUFFIXES" ${ARGN})
  string(MAKE_C_IDENTIFIER ${target} id)
  find_path(${id}_INCLUDE_DIR ${header} PATH_SUFFIXES ${arg_SUFFIXES})
  find_library(${id}_LIBRARY NAMES ${library})
  if(NOT ${id}_INCLUDE_DIR OR NOT ${id}_LIBRARY)
    message(FATAL_ERROR "Caffe needs ${library} and its header ${header}: "
            "install its development package, or set ${id}_INCLUDE_DIR and "
            "${id}_LIBRARY")
  endif()
  if(NOT TARGET ${target})
    add_library(${target} UNKNOWN IMPORTED)
    set_target_properties(${target} PROPERTIES
      IMPORTED_LOCATION "${${id}_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${${id}_INCLUDE_DIR}")
  endif()
  set(CAFFE_DEPS ${CAFFE_DEPS} ${target} PARENT_SCOPE)
endfunction()

if(USE_LMDB)
  caffe_find(Caffe::lmdb lmdb.h lmdb)
endif()
if(BLAS STREQUAL "Open")
  caffe_find(Caffe::blas cblas.h openblas SUFFIXES openblas)
elseif(BLAS STREQUAL "Atlas")
  caffe_find(Caffe::blas cblas.h "satlas;atlas" SUFFIXES atlas)
elseif(BLAS STREQUAL "MKL")
  caffe_find(Caffe::blas mkl.h mkl_rt SUFFIXES mkl)
else()
  message(FATAL_ERROR "BLAS=${BLAS}: expected Open, Atlas or MKL")
endif()
