# FUZZ: libFuzzer's harnesses (tests/fuzz), for clang; with SANITIZE, whose
# findings end the run. tools/fuzz.sh builds and runs them.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
endif()
add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-recover=all)

function(add_fuzz_targets)
  # Explicit specialisations, which must come before other files' calls.
  set_property(SOURCE ${STAGED}/src/caffe/util/hdf5.cpp PROPERTY
               SKIP_UNITY_BUILD_INCLUSION ON)
  file(GLOB harnesses CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*.cpp)
  add_custom_target(fuzz)
  foreach(harness ${harnesses})
    get_filename_component(name ${harness} NAME_WE)
    add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${harness})
    target_link_libraries(fuzz_${name} PRIVATE caffe)
    target_compile_options(fuzz_${name} PRIVATE -Wall -Wno-sign-compare)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES
      OUTPUT_NAME ${name}
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/targets)
    add_dependencies(fuzz fuzz_${name})
  endforeach()
endfunction()
