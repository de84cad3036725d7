# Runs caffe_ext/stage.py, now and whenever one of its inputs changes.
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter)
set(STAGED ${PROJECT_BINARY_DIR}/caffe)
set(stage_py ${PROJECT_SOURCE_DIR}/caffe_ext/stage.py)
set(stage_command ${Python_EXECUTABLE} ${stage_py} ${STAGED})
if(CAFFE_SOURCE_DIR)
  list(APPEND stage_command --source ${CAFFE_SOURCE_DIR})
endif()
execute_process(COMMAND ${stage_command} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "staging Caffe's source failed (see above)")
endif()

# Files of ours, as paths relative to Caffe's root.
file(GLOB_RECURSE OVERLAY CONFIGURE_DEPENDS
     RELATIVE ${PROJECT_SOURCE_DIR}/caffe_ext
     ${PROJECT_SOURCE_DIR}/caffe_ext/include/*
     ${PROJECT_SOURCE_DIR}/caffe_ext/src/*
     ${PROJECT_SOURCE_DIR}/caffe_ext/python/*
     ${PROJECT_SOURCE_DIR}/caffe_ext/tools/*)
file(GLOB stage_inputs CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/caffe_ext/edits/*.edit
     ${PROJECT_SOURCE_DIR}/caffe_ext/proto/*.proto
     ${PROJECT_SOURCE_DIR}/caffe_ext/caffe-source.txt)
list(TRANSFORM OVERLAY PREPEND ${PROJECT_SOURCE_DIR}/caffe_ext/
     OUTPUT_VARIABLE overlay_inputs)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${stage_py} ${stage_inputs} ${overlay_inputs})

# own_warnings(TARGET): -Wall for our files among the sources of TARGET, and
# leave Caffe's as they are. Caffe's headers compare signed with unsigned.
set(OWN_WARNINGS -Wall -Wno-sign-compare)
if(WARNINGS_AS_ERRORS)
  list(APPEND OWN_WARNINGS -Werror)
endif()
function(own_warnings target)
  if(CMAKE_UNITY_BUILD)
    return()  # files with options of their own are compiled one by one
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(file ${OVERLAY})
    if(file MATCHES "\\.cpp$" AND "${STAGED}/${file}" IN_LIST sources)
      set_property(SOURCE ${STAGED}/${file} APPEND PROPERTY
                   COMPILE_OPTIONS ${OWN_WARNINGS})
    endif()
  endforeach()
endfunction()
