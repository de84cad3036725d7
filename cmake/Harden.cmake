# What makes a memory error the end of the process rather than its takeover. Flags
# that a compiler or a processor lacks are left out; tests/test_hardening.py reads
# what was built. Under sanitizers, which find more, they would be in the way.
option(HARDEN "Compile and link with the compiler's hardening" ON)
if(NOT HARDEN OR SANITIZE)
  return()
endif()
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection
        -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "HARDEN${flag}" known)
  check_cxx_compiler_flag("-Werror ${flag}" ${known})
  if(${known})
    add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:${flag}>)
  endif()
endforeach()
# glibc's checks need an optimizing compiler; some systems' predefine a weaker one.
add_compile_options(
  "$<$<AND:$<COMPILE_LANGUAGE:C,CXX>,$<NOT:$<CONFIG:Debug>>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>)

foreach(flag relro now noexecstack)
  check_linker_flag(CXX "-Wl,-z,${flag}" HARDEN_z_${flag})
  if(HARDEN_z_${flag})
    add_link_options(-Wl,-z,${flag})
  endif()
endforeach()

include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
