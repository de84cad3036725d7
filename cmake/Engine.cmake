# Compiled inference (caffe_ext/engine): libcaffe_engine, on oneDNN.
if(NOT ONEDNN)
  return()
endif()
set(engine_dir ${PROJECT_SOURCE_DIR}/caffe_ext/engine)
file(GLOB_RECURSE engine_sources CONFIGURE_DEPENDS ${engine_dir}/*.cpp)
list(FILTER engine_sources EXCLUDE REGEX "/engine/gpu/")
add_library(caffe_engine ${engine_sources})
if(NOT CPU_ONLY AND USE_CUDNN)
  # Compiles without the rest: see tests/test_cuda.py.
  file(GLOB_RECURSE gpu_sources CONFIGURE_DEPENDS
       ${engine_dir}/gpu/*.cpp ${engine_dir}/gpu/*.cu)
  add_library(caffe_engine_gpu OBJECT ${gpu_sources} ${proto_dir}/caffe.pb.h)
  target_include_directories(caffe_engine_gpu PRIVATE
    ${PROJECT_SOURCE_DIR}/caffe_ext ${STAGED}/include
    ${PROJECT_BINARY_DIR}/include)
  target_link_libraries(caffe_engine_gpu PRIVATE caffe_deps DNNL::dnnl)
  target_compile_features(caffe_engine_gpu PRIVATE cxx_std_17)
  set_property(TARGET caffe_engine_gpu PROPERTY POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(caffe_engine PRIVATE USE_GPU_ENGINE)
  target_sources(caffe_engine PRIVATE $<TARGET_OBJECTS:caffe_engine_gpu>)
endif()
add_library(Caffe::caffe_engine ALIAS caffe_engine)
target_include_directories(caffe_engine PRIVATE ${PROJECT_SOURCE_DIR}/caffe_ext)
target_link_libraries(caffe_engine PUBLIC caffe PRIVATE DNNL::dnnl
                      OpenMP::OpenMP_CXX)
target_link_options(caffe_engine PRIVATE
  -Wl,--version-script=${engine_dir}/exports.map)
target_compile_options(caffe_engine PRIVATE ${OWN_WARNINGS})
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
  set_property(SOURCE ${engine_dir}/kernels/grouped_3x3_avx512.cpp
                      ${engine_dir}/kernels/panels_avx512.cpp
                      ${engine_dir}/kernels/winograd_avx512.cpp APPEND PROPERTY
               COMPILE_OPTIONS -march=x86-64-v4 -Wno-maybe-uninitialized)
  set_property(SOURCE ${engine_dir}/kernels/grouped_3x3_avx512_bf16.cpp
                      ${engine_dir}/kernels/panels_avx512_bf16.cpp
                      ${engine_dir}/kernels/weighted_sum_avx512_bf16.cpp APPEND PROPERTY
               COMPILE_OPTIONS -march=x86-64-v4 -mavx512bf16
               -Wno-maybe-uninitialized)
  set_property(SOURCE ${engine_dir}/kernels/grouped_3x3_amx.cpp APPEND PROPERTY
               COMPILE_OPTIONS -march=x86-64-v4 -mavx512bf16 -mamx-tile -mamx-bf16
               -Wno-maybe-uninitialized)
endif()
set_target_properties(caffe_engine PROPERTIES
  POSITION_INDEPENDENT_CODE ON
  UNITY_BUILD OFF  # the names within its files are theirs
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION}
  INSTALL_RPATH "${ONEDNN_RPATH};${CUDA_RPATH}")
