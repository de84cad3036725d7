# cmake --install PREFIX: libcaffe, headers, tools, pycaffe and a CMake package.
# Component `wheel` is what setup.py packs: one folder, the Python package caffe.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Caffe)

install(TARGETS caffe EXPORT CaffeTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET caffe_codecs)
  install(TARGETS caffe_codecs
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_SKIP)
endif()
if(TARGET caffe_engine)
  install(TARGETS caffe_engine EXPORT CaffeTargets
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(TARGETS ${CAFFE_TOOLS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${STAGED}/include/caffe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${proto_dir}/caffe.pb.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/caffe/proto)
install(EXPORT CaffeTargets NAMESPACE Caffe:: DESTINATION ${package_dir})
configure_package_config_file(cmake/CaffeConfig.cmake.in
  ${PROJECT_BINARY_DIR}/CaffeConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/CaffeConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
set(package_files ${PROJECT_BINARY_DIR}/CaffeConfig.cmake
    ${PROJECT_BINARY_DIR}/CaffeConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindCaffeDeps.cmake)
if(NOT CPU_ONLY)
  list(APPEND package_files ${PROJECT_SOURCE_DIR}/cmake/FindCaffeCuda.cmake)
endif()
install(FILES ${package_files} DESTINATION ${package_dir})

if(BUILD_python)
  # install_pycaffe(DESTINATION COMPONENT [EXCLUDE_FROM_ALL])
  function(install_pycaffe destination component)
    install(DIRECTORY ${STAGED}/python/caffe/ DESTINATION ${destination}
            COMPONENT ${component} ${ARGN}
            FILES_MATCHING PATTERN "*.py" PATTERN "ilsvrc_2012_mean.npy"
            PATTERN "test" EXCLUDE
            # A source package's own, which the one made here must replace; two
            # files of one second are the same to cmake --install.
            PATTERN "caffe_pb2.py" EXCLUDE)
    install(FILES ${proto_python_dir}/caffe_pb2.py
            DESTINATION ${destination}/proto COMPONENT ${component} ${ARGN})
    file(TOUCH ${proto_python_dir}/__init__.py)
    install(FILES ${proto_python_dir}/__init__.py
            DESTINATION ${destination}/proto COMPONENT ${component} ${ARGN})
    install(TARGETS pycaffe pycaffe_tool LIBRARY DESTINATION ${destination}
            COMPONENT ${component} ${ARGN})
    if(TARGET pycaffe_engine)
      install(TARGETS pycaffe_engine LIBRARY DESTINATION ${destination}
              COMPONENT ${component} ${ARGN})
    endif()
  endfunction()
  install_pycaffe(python/caffe Unspecified)
  install_pycaffe(. wheel EXCLUDE_FROM_ALL)
  install(TARGETS caffe LIBRARY DESTINATION . NAMELINK_SKIP
          COMPONENT wheel EXCLUDE_FROM_ALL)
  if(TARGET caffe_codecs)
    install(TARGETS caffe_codecs LIBRARY DESTINATION . NAMELINK_SKIP
            COMPONENT wheel EXCLUDE_FROM_ALL)
  endif()
  if(TARGET caffe_engine)
    install(TARGETS caffe_engine LIBRARY DESTINATION . NAMELINK_SKIP
            COMPONENT wheel EXCLUDE_FROM_ALL)
  endif()
  install(TARGETS ${CAFFE_TOOLS} RUNTIME DESTINATION bin
          COMPONENT wheel EXCLUDE_FROM_ALL)
endif()
