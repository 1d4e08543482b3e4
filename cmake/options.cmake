# echo_exporter_options: how all of our own targets are compiled. Headers of other projects come
# from imported targets, which CMake passes as system headers: they give no warnings.

add_library(echo_exporter_options INTERFACE)
target_compile_features(echo_exporter_options INTERFACE cxx_std_20)
set(CMAKE_CXX_EXTENSIONS OFF)

find_package(Threads REQUIRED)
target_link_libraries(echo_exporter_options INTERFACE Threads::Threads)

target_compile_definitions(echo_exporter_options INTERFACE
  # Windows 10 is the oldest version that the exporter runs on.
  $<$<PLATFORM_ID:Windows>:_WIN32_WINNT=0x0A00>
  $<$<PLATFORM_ID:Windows>:NOMINMAX>
  $<$<PLATFORM_ID:Windows>:WIN32_LEAN_AND_MEAN>)

if(MSVC)
  target_compile_options(echo_exporter_options INTERFACE
    /W4 /permissive- /utf-8 /bigobj /Zc:__cplusplus /Zc:preprocessor)
else()
  target_compile_options(echo_exporter_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wextra-semi -Wcast-align -Wformat=2 -Wundef
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
    # gcc reports copies that overlap or pass an end in std::string's own code where there are none,
    # the more with precompiled headers, up to gcc 14 at least; clang looks at the same sources.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
      -Wno-stringop-overread>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
endif()
# gcc takes a tenth less where it looks for memory to reuse only beyond 512 MiB: it gets so far for the
# largest folder.
target_compile_options(echo_exporter_options INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=524288>)
if(ECHO_EXPORTER_WERROR)
  target_compile_options(echo_exporter_options INTERFACE $<IF:$<BOOL:${MSVC}>,/WX,-Werror>)
endif()

if(ECHO_EXPORTER_SANITIZE)
  target_compile_options(echo_exporter_options INTERFACE
    -fsanitize=${ECHO_EXPORTER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(echo_exporter_options INTERFACE -fsanitize=${ECHO_EXPORTER_SANITIZE})
endif()

# What most sources include of the standard library, compiled once for each library. Every source
# includes what it uses all the same: the preset linux-tidy and tests/rules/check_clang_windows.sh
# compile without.
set(ECHO_EXPORTER_PRECOMPILED_HEADERS
  <algorithm> <array> <atomic> <chrono> <functional> <map> <memory> <optional> <string>
  <string_view> <thread> <utility> <vector>)
