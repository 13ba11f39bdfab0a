# Builds and runs consumer/ against the leash that this build made, WAY find_package, or configures it
# around leash's sources, WAY add_subdirectory (to build them again would only take time).

file(REMOVE_RECURSE ${WORK})
set(configure ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK}/build -G ${GENERATOR}
  -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${CC})
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " line)
    message(FATAL_ERROR "${line}\nexit status ${status}\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

if(WAY STREQUAL find_package)
  run(${CMAKE_COMMAND} --install ${LEASH_BUILD} --prefix ${WORK}/prefix)
  run(${configure} -DCMAKE_PREFIX_PATH=${WORK}/prefix)
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  run(${WORK}/build/consumer)
  if(NOT out STREQUAL "42\n")
    message(FATAL_ERROR "consumer: want 42, have ${out}")
  endif()
  run(${WORK}/build/consumer_test)
else()
  run(${configure} -DLEASH_SOURCE=${LEASH_SOURCE})
  # What is not asked for is not built, and our warnings stay ours.
  run(${CMAKE_COMMAND} -LA -N ${WORK}/build)
  foreach(option TESTS BENCH EXAMPLES CLANG_PLUGIN)
    if(NOT out MATCHES "LEASH_BUILD_${option}:BOOL=OFF")
      message(FATAL_ERROR "LEASH_BUILD_${option} is not OFF in a subdirectory:\n${out}")
    endif()
  endforeach()
endif()
