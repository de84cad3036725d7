# Finds CUDA's libraries: the toolkit's own, or else those of PyPI's nvidia-*
# packages in the interpreter Python_EXECUTABLE; sets CAFFE_CUDA_DEPS, a list of
# imported targets. Used by the build and by the installed CaffeConfig.cmake.
find_package(CUDAToolkit 11 REQUIRED)
set(CAFFE_CUDA_DEPS CUDA::cudart)

# Folders of the packages, as nvidia/cu13, nvidia/cudnn, nvidia/nccl.
find_package(Python COMPONENTS Interpreter QUIET)
set(nvidia_folders)
if(Python_EXECUTABLE)
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
      "import glob, nvidia; print(*(d for p in nvidia.__path__ for d in sorted(glob.glob(p + '/*'))), sep=';', end='')"
    OUTPUT_VARIABLE nvidia_folders ERROR_QUIET)
endif()

# caffe_find_cuda(NAME HEADER LIBRARY_NAMES...) → Caffe::NAME. The packages ship
# versioned names only, which find_library takes as they are.
function(caffe_find_cuda name header)
  find_path(CAFFE_${name}_INCLUDE_DIR ${header}
            HINTS ${CUDAToolkit_INCLUDE_DIRS} ${nvidia_folders}
            PATH_SUFFIXES include)
  find_library(CAFFE_${name}_LIBRARY NAMES ${ARGN}
               HINTS ${CUDAToolkit_LIBRARY_DIR} ${nvidia_folders}
               PATH_SUFFIXES lib lib64)
  if(NOT CAFFE_${name}_INCLUDE_DIR OR NOT CAFFE_${name}_LIBRARY)
    message(FATAL_ERROR "CPU_ONLY=OFF needs ${name} (${header}): install it, or "
            "its nvidia-* package for ${Python_EXECUTABLE}, or set "
            "CAFFE_${name}_INCLUDE_DIR and CAFFE_${name}_LIBRARY")
  endif()
  if(NOT TARGET Caffe::${name})
    add_library(Caffe::${name} UNKNOWN IMPORTED)
    set_target_properties(Caffe::${name} PROPERTIES
      IMPORTED_LOCATION "${CAFFE_${name}_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${CAFFE_${name}_INCLUDE_DIR}")
  endif()
  set(CAFFE_CUDA_DEPS ${CAFFE_CUDA_DEPS} Caffe::${name} PARENT_SCOPE)
endfunction()

caffe_find_cuda(cublas cublas_v2.h cublas libcublas.so.13 libcublas.so.12)
caffe_find_cuda(cublasLt cublasLt.h cublasLt libcublasLt.so.13 libcublasLt.so.12)
caffe_find_cuda(curand curand.h curand libcurand.so.10)
if(USE_CUDNN)
  caffe_find_cuda(cudnn cudnn.h cudnn libcudnn.so.9 libcudnn.so.8)
endif()
if(USE_NCCL)
  caffe_find_cuda(nccl nccl.h nccl libnccl.so.2)
endif()
