# CPU_ONLY=OFF: the CUDA language, and its libraries for caffe_deps.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  # What CUDA 13 still knows, Turing to Blackwell, and PTX for what follows.
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 100)
endif()
if(NOT CMAKE_CUDA_COMPILER)
  find_program(CMAKE_CUDA_COMPILER nvcc PATHS /usr/local/cuda/bin)
endif()
enable_language(CUDA)
# As CUDA::cudart is: two runtimes in a process do not know of each other.
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
include(FindCaffeCuda)
target_link_libraries(caffe_deps INTERFACE ${CAFFE_CUDA_DEPS})
# Installed libraries find CUDA's where the build found them, and PyPI's packages also
# beside the package caffe.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
set(CUDA_RPATH)
foreach(library cublas cublasLt curand cudnn nccl)
  if("${CAFFE_${library}_LIBRARY}" MATCHES "(/nvidia/[^/]+/lib)/[^/]+$")
    list(APPEND CUDA_RPATH "$ORIGIN/..${CMAKE_MATCH_1}")
  endif()
endforeach()
list(REMOVE_DUPLICATES CUDA_RPATH)
foreach(option USE_CUDNN USE_NCCL)
  if(${option})
    target_compile_definitions(caffe_deps INTERFACE ${option})
  endif()
endforeach()
if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  # Caffe's test launches kernels of libcaffe's, which nvcc keeps to itself by now.
  set_property(SOURCE ${STAGED}/src/caffe/util/im2col.cu
                      ${STAGED}/src/caffe/test/test_im2col_kernel.cu
               APPEND PROPERTY COMPILE_OPTIONS
               -static-global-template-stub=false
               -device-entity-has-hidden-visibility=false)
endif()
