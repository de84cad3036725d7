# The caffe command and its fellows; each is one file of tools/.
file(GLOB tool_sources CONFIGURE_DEPENDS ${STAGED}/tools/*.cpp)
set(CAFFE_TOOLS)
foreach(source ${tool_sources})
  get_filename_component(name ${source} NAME_WE)
  set(target tool_${name})
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE caffe)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tools
    # installed as bin/ beside lib/, or within the Python package beside libcaffe
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};$ORIGIN/..")
  own_warnings(${target})
  list(APPEND CAFFE_TOOLS ${target})
endforeach()
