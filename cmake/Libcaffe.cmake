set(proto_dir ${PROJECT_BINARY_DIR}/include/caffe/proto)
set(proto_python_dir ${PROJECT_BINARY_DIR}/python/caffe/proto)
file(MAKE_DIRECTORY ${proto_dir} ${proto_python_dir})
add_custom_command(
  OUTPUT ${proto_dir}/caffe.pb.cc ${proto_dir}/caffe.pb.h
         ${proto_python_dir}/caffe_pb2.py
  COMMAND protobuf::protoc --proto_path=${STAGED}/src/caffe/proto
          --cpp_out=${proto_dir} --python_out=${proto_python_dir}
          ${STAGED}/src/caffe/proto/caffe.proto
  DEPENDS ${STAGED}/src/caffe/proto/caffe.proto
  COMMENT "Compiling caffe.proto")

file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${STAGED}/src/caffe/*.cpp)
if(NOT CPU_ONLY)
  file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${STAGED}/src/caffe/*.cu)
  list(APPEND sources ${cuda_sources})
endif()
list(FILTER sources EXCLUDE REGEX "/src/caffe/test/")

add_library(caffe ${sources} ${proto_dir}/caffe.pb.cc)
add_library(Caffe::caffe ALIAS caffe)
target_compile_features(caffe PUBLIC cxx_std_17)
target_compile_definitions(caffe PUBLIC CAFFE_VERSION=${PROJECT_VERSION})
target_include_directories(caffe PUBLIC
  $<BUILD_INTERFACE:${STAGED}/include>
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(caffe PUBLIC caffe_deps)
# Our layers' simd pragmas (caffe/util/parallel_for.hpp); no runtime library. GCC
# makes vectors of comparisons only where nobody waits for their exceptions.
target_compile_options(caffe PRIVATE
  "$<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-fopenmp-simd;-fno-trapping-math>")
set_target_properties(caffe PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION}
  POSITION_INDEPENDENT_CODE ON)
if(ONEDNN)
  target_compile_definitions(caffe PRIVATE USE_ONEDNN)
  target_link_libraries(caffe PRIVATE DNNL::dnnl)
endif()
set_property(TARGET caffe PROPERTY INSTALL_RPATH ${ONEDNN_RPATH} ${CUDA_RPATH})
own_warnings(caffe)

if(NOT CPU_ONLY)
  # Our own CUDA sources, and all of Caffe's with CUDA in it that edits
  # change: what a machine with nvcc and no GPU compiles in a few minutes.
  set(changed ${OVERLAY})
  file(GLOB edits ${PROJECT_SOURCE_DIR}/caffe_ext/edits/*.edit)
  foreach(edit ${edits})
    file(STRINGS ${edit} targets REGEX "^@ ")
    list(TRANSFORM targets REPLACE "^@ ([^ ]+).*" "\\1")
    list(APPEND changed ${targets})
  endforeach()
  list(REMOVE_DUPLICATES changed)
  list(FILTER changed INCLUDE REGEX
       "\\.cu$|src/caffe/(common|layer_factory|parallel|syncedmem)\\.cpp$|\
src/caffe/util/(benchmark|cudnn_.*)\\.cpp$|\
src/caffe/layers/(base_data_layer|cudnn_.*)\\.cpp$")
  list(TRANSFORM changed PREPEND ${STAGED}/)
  add_library(caffe_cuda_edited OBJECT EXCLUDE_FROM_ALL ${changed})
  target_link_libraries(caffe_cuda_edited PRIVATE caffe_deps)
  target_compile_features(caffe_cuda_edited PRIVATE cxx_std_17)
  set_property(TARGET caffe_cuda_edited PROPERTY POSITION_INDEPENDENT_CODE ON)
  target_include_directories(caffe_cuda_edited PRIVATE
    ${STAGED}/include ${PROJECT_BINARY_DIR}/include)
  target_sources(caffe_cuda_edited PRIVATE ${proto_dir}/caffe.pb.h)
endif()
