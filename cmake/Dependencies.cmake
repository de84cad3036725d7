# One interface target, caffe_deps, with all that libcaffe links and defines.
# CaffeConfig.cmake runs FindCaffeDeps.cmake again for those who link libcaffe.
include(FindCaffeDeps)
add_library(caffe_deps INTERFACE)
target_link_libraries(caffe_deps INTERFACE ${CAFFE_DEPS})
foreach(option USE_OPENCV USE_LMDB USE_LEVELDB USE_HDF5)
  if(${option})
    target_compile_definitions(caffe_deps INTERFACE ${option})
  endif()
endforeach()
if(BLAS STREQUAL "MKL")
  target_compile_definitions(caffe_deps INTERFACE USE_MKL)
endif()
if(CPU_ONLY)
  target_compile_definitions(caffe_deps INTERFACE CPU_ONLY)
else()
  include(Cuda)
endif()
install(TARGETS caffe_deps EXPORT CaffeTargets)

# Threads over channels in our own layers; private to libcaffe.
find_package(OpenMP COMPONENTS CXX)
