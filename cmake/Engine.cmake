# Compiled inference (caffe_ext/engine): libcaffe_engine, on oneDNN.
if(NOT ONEDNN)
  return()
endif()
set(engine_dir ${PROJECT_SOURCE_DIR}/caffe_ext/engine)
file(GLOB_RECURSE engine_sources CONFIGURE_DEPENDS ${engine_dir}/*.cpp)
list(FILTER engine_sources EXCLUDE REGEX "/engine/gpu/")
set(gpu_sources)
if(NOT CPU_ONLY AND USE_CUDNN)
  file(GLOB_RECURSE gpu_sources CONFIGURE_DEPENDS
       ${engine_dir}/gpu/*.cpp ${engine_dir}/gpu/*.cu)
endif()
add_library(caffe_engine ${engine_sources} ${gpu_sources})
if(gpu_sources)
  target_compile_definitions(caffe_engine PRIVATE USE_GPU_ENGINE)
endif()
add_library(Caffe::caffe_engine ALIAS caffe_engine)
target_include_directories(caffe_engine PRIVATE ${PROJECT_SOURCE_DIR}/caffe_ext)
target_link_libraries(caffe_engine PUBLIC caffe PRIVATE DNNL::dnnl
                      OpenMP::OpenMP_CXX)
target_link_options(caffe_engine PRIVATE
  -Wl,--version-script=${engine_dir}/exports.map)
target_compile_options(caffe_engine PRIVATE
  "$<$<COMPILE_LANGUAGE:CXX>:${OWN_WARNINGS}>")
# The steps' loops with AVX2, which Program asks the CPU for. Their templates
# must not stand in for those of libcaffe, which runs on any CPU.
set(steps ${engine_sources})
list(FILTER steps INCLUDE REGEX "/(ops|kernels)/")
list(FILTER steps EXCLUDE REGEX "/caffe_layer\\.cpp$")
# Choices between results are vectorised where both may be computed.
set_property(SOURCE ${steps} APPEND PROPERTY COMPILE_OPTIONS -fno-trapping-math)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_property(SOURCE ${steps} APPEND PROPERTY COMPILE_OPTIONS
               -march=x86-64-v3)
  # The last -march counts. gcc 12 warns of its own intrinsics.
  set_property(SOURCE ${engine_dir}/kernels/grouped_3x3_avx512.cpp APPEND PROPERTY
               COMPILE_OPTIONS -march=x86-64-v4 -Wno-maybe-uninitialized)
endif()
set_target_properties(caffe_engine PROPERTIES
  POSITION_INDEPENDENT_CODE ON
  UNITY_BUILD OFF  # the names within its files are theirs
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION}
  INSTALL_RPATH "${ONEDNN_RPATH}")
