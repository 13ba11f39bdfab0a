# The examples of the documentation: see markdown.h for what each kind of block asks for.
if(NOT TARGET leash_verify OR NOT TARGET leash_verify_main)
  return()
endif()

add_executable(extract_examples extract_examples.cc)
target_compile_definitions(extract_examples PRIVATE LEASH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(extract_examples PRIVATE leash_tidy_rules leash_flags leash_instrumented)

file(GLOB_RECURSE pages CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/docs/guide/*.md
  ${PROJECT_SOURCE_DIR}/docs/reference/*.md)

set(example_sources "")
set(programs "")
foreach(page ${pages})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${page})
  string(MAKE_C_IDENTIFIER ${page} id)
  file(STRINGS ${PROJECT_SOURCE_DIR}/${page} fences REGEX "^```cpp")
  if(fences MATCHES "```cpp( run)?(;|$)")
    set(source ${CMAKE_CURRENT_BINARY_DIR}/examples/${id}.cc)
    add_custom_command(OUTPUT ${source}
      COMMAND extract_examples ${page} ${source}
      DEPENDS extract_examples ${PROJECT_SOURCE_DIR}/${page} VERBATIM)
    list(APPEND example_sources ${source})
  endif()
  foreach(fence ${fences})
    if(fence MATCHES "^```cpp program=([a-z_]+)[.]cc$")
      set(program ${CMAKE_MATCH_1})
      set(source ${CMAKE_CURRENT_BINARY_DIR}/examples/${program}.cc)
      add_custom_command(OUTPUT ${source}
        COMMAND extract_examples ${page} ${source} ${program}.cc
        DEPENDS extract_examples ${PROJECT_SOURCE_DIR}/${page} VERBATIM)
      add_executable(doc_${program} ${source})
      target_link_libraries(doc_${program} PRIVATE leash_verify_main leash_flags leash_instrumented)
      list(APPEND programs "${page}:${program}.cc:$<TARGET_FILE:doc_${program}>")
    endif()
  endforeach()
endforeach()
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/examples)

if(example_sources)
  leash_test(doc_examples_test SOURCES ${example_sources} LIBS leash_verify LABELS docs
    MAIN leash_verify_main)
  # An example may declare what it does not go on to use. Linked last: for clang the last word counts.
  add_library(leash_example_flags INTERFACE)
  target_compile_options(leash_example_flags INTERFACE
    -Wno-unused-function -Wno-unused-variable -Wno-unused-parameter)
  target_link_libraries(doc_examples_test PRIVATE leash_example_flags)
endif()
# Sanitizer builds have less debug information, so their frames are not those of the page.
if(programs AND NOT LEASH_RACE AND NOT LEASH_SANITIZE)
  leash_test(documented_output_test SOURCES documented_output_test.cc
    LIBS leash_tidy_rules leash_test_support LABELS docs)
  list(JOIN programs "," joined)
  target_compile_definitions(documented_output_test PRIVATE LEASH_DOC_PROGRAMS="${joined}")
endif()
