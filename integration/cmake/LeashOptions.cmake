# What can be chosen at configure time, and the flags that follow from it.

option(LEASH_RECORD "Record spawn sites and wait facts (OFF is kept for measuring what it costs)" ON)
option(LEASH_RACE "Build with ThreadSanitizer and Go-style race reports" OFF)
set(LEASH_SANITIZE "" CACHE STRING "Sanitizer for everything: address, undefined or nothing")
option(LEASH_COVERAGE "Build for coverage" OFF)
option(LEASH_WERROR "Warnings are errors" OFF)
option(LEASH_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(LEASH_BUILD_BENCH "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(LEASH_BUILD_EXAMPLES "Build the examples of docs/examples" ${PROJECT_IS_TOP_LEVEL})
option(LEASH_BUILD_CLANG_PLUGIN "Build the clang-tidy module (needs LLVM 19)" ${PROJECT_IS_TOP_LEVEL})

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# ccache where it is installed: presets share little, but a second build of the same one is free.
find_program(LEASH_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND LEASH_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${LEASH_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LEASH_CCACHE})
endif()

# Flags of our own targets only: a program that adds leash as a subdirectory keeps its own.
add_library(leash_flags INTERFACE)
target_compile_options(leash_flags INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers
  $<$<BOOL:${LEASH_WERROR}>:-Werror>)
target_compile_definitions(leash_flags INTERFACE LEASH_RECORD=$<BOOL:${LEASH_RECORD}>)

# Sanitizers: `leash_instrumented` is for code that is instrumented (tests, examples, users);
# the runtime's own objects never are under ThreadSanitizer, they only say LEASH_RACE=1.
add_library(leash_instrumented INTERFACE)
if(LEASH_RACE)
  target_compile_options(leash_instrumented INTERFACE -fsanitize=thread -fno-optimize-sibling-calls)
  target_link_options(leash_instrumented INTERFACE -fsanitize=thread)
  target_compile_definitions(leash_flags INTERFACE LEASH_RACE=1)
  target_link_options(leash_flags INTERFACE -fsanitize=thread)
endif()
if(LEASH_SANITIZE)
  target_compile_options(leash_flags INTERFACE -fsanitize=${LEASH_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(leash_flags INTERFACE -fsanitize=${LEASH_SANITIZE})
  if(LEASH_SANITIZE MATCHES "undefined")
    target_compile_options(leash_flags INTERFACE -fno-sanitize-recover=all)
  endif()
endif()
if(LEASH_COVERAGE)
  target_compile_options(leash_flags INTERFACE --coverage)
  target_link_options(leash_flags INTERFACE --coverage)
endif()
