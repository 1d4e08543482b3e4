# discover_suites(TARGET [LONGEST]): a test of ctest for each suite of a GoogleTest program, run in the
# root of the tree. The tests of a suite share a process: with one for each, half of the time goes into
# starting them. Which suites there are is asked when ctest runs. The environment variable
# ECHO_EXPORTER_TESTS may hold a regular expression: then only tests whose names match are run.
#
# Suites whose names match the regular expression LONGEST begin first, so that nothing is left to wait
# for when all else has ended.

if(DEFINED SUITES_PROGRAM)  # by ctest, in the script that is generated below
  execute_process(
    COMMAND ${SUITES_EMULATOR} "${SUITES_PROGRAM}" --gtest_list_tests
    WORKING_DIRECTORY "${SUITES_DIRECTORY}"
    OUTPUT_VARIABLE listed
    ERROR_VARIABLE errors
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${SUITES_PROGRAM} --gtest_list_tests: ${result}\n${errors}")
  endif()
  # Parameters are shown in comments, and may be anything.
  string(REGEX REPLACE "  # [^\n]*" "" listed "${listed}")
  string(REGEX REPLACE "[];\r[]" "?" listed "${listed}")
  string(REPLACE "\n" ";" listed "${listed}")
  set(pattern "$ENV{ECHO_EXPORTER_TESTS}")
  set(suites "")
  foreach(line IN LISTS listed)
    if(line MATCHES "^([^ ]+\\.)$")
      set(suite ${CMAKE_MATCH_1})
    elseif(line MATCHES "^  (.+)$")
      set(test "${suite}${CMAKE_MATCH_1}")
      if(NOT pattern OR test MATCHES "${pattern}")
        list(APPEND suites ${suite})
        string(APPEND filter_of_${suite} "${test}:")
      endif()
    endif()
  endforeach()
  list(REMOVE_DUPLICATES suites)
  foreach(suite IN LISTS suites)
    string(REGEX REPLACE "\\.$" "" name ${suite})
    set(filter "${suite}*")
    if(pattern)
      set(filter "${filter_of_${suite}}")
    endif()
    add_test(${name} ${SUITES_EMULATOR} "${SUITES_PROGRAM}" "--gtest_filter=${filter}")
    # Against hanging only: the tests' own limits are of five minutes.
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY "${SUITES_DIRECTORY}" TIMEOUT 1200)
    if(SUITES_LONGEST AND name MATCHES "${SUITES_LONGEST}")
      set_tests_properties(${name} PROPERTIES COST 10)
    endif()
  endforeach()
  return()
endif()

function(discover_suites target)
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake")
  file(GENERATE OUTPUT "${script}" CONTENT "
set(SUITES_PROGRAM [==[$<TARGET_FILE:${target}>]==])
set(SUITES_EMULATOR [==[${CMAKE_CROSSCOMPILING_EMULATOR}]==])
set(SUITES_DIRECTORY [==[${PROJECT_SOURCE_DIR}]==])
set(SUITES_LONGEST [==[${ARGN}]==])
include([==[${PROJECT_SOURCE_DIR}/cmake/discover_suites.cmake]==])
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()
