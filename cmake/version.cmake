# Writes echo_exporter/version.h below ECHO_EXPORTER_GENERATED_DIR.

set(ECHO_EXPORTER_GENERATED_DIR ${PROJECT_BINARY_DIR}/generated)
set(ECHO_EXPORTER_REVISION unknown)

find_package(Git QUIET)
if(GIT_FOUND)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE revision
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE result
    ERROR_QUIET)
  if(result EQUAL 0)
    set(ECHO_EXPORTER_REVISION ${revision})
  endif()
endif()
# A commit or a checkout moves HEAD's log: configure again then.
if(EXISTS ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS .git/logs/HEAD)
endif()

configure_file(cmake/version.h.in ${ECHO_EXPORTER_GENERATED_DIR}/echo_exporter/version.h @ONLY)
