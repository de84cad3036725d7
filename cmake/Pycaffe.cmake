# pycaffe's extension module, on pybind11 (from the interpreter's own packages).
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)
if(NOT pybind11_DIR)
  execute_process(COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
                  OUTPUT_VARIABLE pybind11_DIR OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "pycaffe needs pybind11: "
            "${Python_EXECUTABLE} -m pip install pybind11")
  endif()
endif()
find_package(pybind11 2.12 CONFIG REQUIRED)
pybind11_add_module(pycaffe MODULE NO_EXTRAS
                    ${STAGED}/python/caffe/_caffe.cpp)
target_link_libraries(pycaffe PRIVATE caffe)
set_target_properties(pycaffe PROPERTIES
  OUTPUT_NAME _caffe
  # Caffe's templates with static state (the layer registry) must be libcaffe's.
  CXX_VISIBILITY_PRESET default
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/python/caffe
  INSTALL_RPATH "$ORIGIN;$ORIGIN/../../${CMAKE_INSTALL_LIBDIR}")
own_warnings(pycaffe)

# The caffe command as a library, for python -m caffe: nets with Python layers.
add_library(pycaffe_tool MODULE ${STAGED}/tools/caffe.cpp ${tool_main})
target_link_libraries(pycaffe_tool PRIVATE caffe)
set_target_properties(pycaffe_tool PROPERTIES
  PREFIX "" OUTPUT_NAME _tool SUFFIX .so
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/python/caffe
  INSTALL_RPATH "$ORIGIN;$ORIGIN/../../${CMAKE_INSTALL_LIBDIR}")

if(TARGET caffe_engine)
  target_link_libraries(pycaffe_tool PRIVATE caffe_engine)
  target_compile_definitions(pycaffe_tool PRIVATE USE_ENGINE)

  pybind11_add_module(pycaffe_engine MODULE NO_EXTRAS
                      ${STAGED}/python/caffe/_engine.cpp)
  target_link_libraries(pycaffe_engine PRIVATE caffe_engine)
  set_target_properties(pycaffe_engine PROPERTIES
    OUTPUT_NAME _engine
    CXX_VISIBILITY_PRESET default
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/python/caffe
    INSTALL_RPATH "$ORIGIN;$ORIGIN/../../${CMAKE_INSTALL_LIBDIR}")
  own_warnings(pycaffe_engine)
endif()
