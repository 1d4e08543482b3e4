# Cross-compiles for 64-bit Windows with Debian's mingw-w64, POSIX threads.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# An executable needs no DLL beside it: libgcc, libstdc++ and winpthread are inside.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

# Libraries and headers come from the target only, programs from the host only.
get_filename_component(_build_dir "${CMAKE_CURRENT_LIST_DIR}/../build" ABSOLUTE)
if(NOT ECHO_EXPORTER_DEPS)
  set(ECHO_EXPORTER_DEPS "${_build_dir}/deps/windows-mingw")
endif()
set(CMAKE_FIND_ROOT_PATH "${ECHO_EXPORTER_DEPS}" /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/run_under_wine.sh")
