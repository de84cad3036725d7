# The caffe command and its fellows; each is one file of tools/, whose main
# tool_main.cpp calls: there, errors become one line.
file(GLOB tool_sources CONFIGURE_DEPENDS ${STAGED}/tools/*.cpp)
set(tool_main ${STAGED}/tools/tool_main.cpp)
list(REMOVE_ITEM tool_sources ${tool_main})
set_property(SOURCE ${tool_sources} APPEND PROPERTY
             COMPILE_DEFINITIONS main=caffe_tool_main)
set(CAFFE_TOOLS)
foreach(source ${tool_sources})
  get_filename_component(name ${source} NAME_WE)
  set(target tool_${name})
  add_executable(${target} ${source} ${tool_main})
  target_link_libraries(${target} PRIVATE caffe)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tools
    # installed as bin/ beside lib/, or within the Python package beside libcaffe
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};$ORIGIN/..")
  own_warnings(${target})
  if(name STREQUAL caffe AND TARGET caffe_engine)
    target_link_libraries(${target} PRIVATE caffe_engine)
    target_compile_definitions(${target} PRIVATE USE_ENGINE)
  endif()
  list(APPEND CAFFE_TOOLS ${target})
endforeach()
