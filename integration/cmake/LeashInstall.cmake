# Installs what has been built, so that find_package(leash) gives the same names as add_subdirectory.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(leash_targets "")
foreach(name model runtime analyzer verify verify_main debug_server explore race race_report)
  if(TARGET leash_${name})
    list(APPEND leash_targets leash_${name})
    set_target_properties(leash_${name} PROPERTIES EXPORT_NAME ${name})
  endif()
endforeach()
install(TARGETS ${leash_targets} EXPORT leash-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT leash-targets NAMESPACE leash:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/leash)

foreach(part runtime analyzer integration)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${part}/include)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${part}/include/leash
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  endif()
endforeach()

# The program leash, and the clang-tidy module where `leash check` looks for it.
if(TARGET leash_program)
  install(TARGETS leash_program DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET leash_tidy)
  install(TARGETS leash_tidy DESTINATION ${CMAKE_INSTALL_LIBDIR}/leash)
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/leash-config.cmake.in
  ${PROJECT_BINARY_DIR}/leash-config.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/leash)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/leash-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/leash-config.cmake ${PROJECT_BINARY_DIR}/leash-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/LeashDependencies.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/leash)
