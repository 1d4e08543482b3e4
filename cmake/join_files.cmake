# join_files(TARGET [ALONE SOURCE...]): with ECHO_EXPORTER_JOIN_FILES, the sources of a folder compile
# as one file, because each compiles the same templates of the same headers. The names of a folder's
# sources outside of functions are thus the folder's own. Those after ALONE compile by themselves.
function(join_files target)
  if(NOT ECHO_EXPORTER_JOIN_FILES)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 join "" "" ALONE)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  list(REMOVE_ITEM sources ${join_ALONE})
  foreach(source IN LISTS sources)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder})
  endforeach()
endfunction()
