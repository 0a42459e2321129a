# The house warnings, as errors where PCW_WERROR is on (presets of development and of the tests): a newer compiler
# must not break a packager's build. Third-party headers come in as SYSTEM and are exempt.
include(CheckCXXCompilerFlag)

set(PCW_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wnull-dereference)
foreach(FLAG ${PCW_WARNINGS})
  string(MAKE_C_IDENTIFIER "PCW_HAS${FLAG}" HAS)
  check_cxx_compiler_flag(${FLAG} ${HAS})
  if(${HAS})
    add_compile_options(${FLAG})
  endif()
endforeach()

if(PCW_WERROR)
  add_compile_options(-Werror)
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Clang counts changes of sign to -Wconversion, GCC does not; and single files switch off warnings that only GCC has.
  add_compile_options(-Wno-sign-conversion -Wno-unknown-warning-option)
elseif(CMAKE_UNITY_BUILD)
  # A unity build includes sources, so a source's own anonymous namespace looks as if it came from a header.
  add_compile_options(-Wno-subobject-linkage)
endif()
