#!/bin/bash
# Compiles with clang what a g++ was to compile, for the same system and with the same C++ library.
#
# Usage: cmake/clang_in_place.sh COMPILER [ARGUMENT]...
#
# COMPILER is a g++, for Linux or Windows. To CMake this is a launcher: so it compiles the unit tests,
# in half of the time; all else that is linked comes from the build's own compiler.
set -euo pipefail

compiler=$1
shift
options=(clang++ -Wthread-safety)
arguments=()
for argument; do
  case $argument in
    # What only gcc knows.
    --param=*|-Wduplicated-cond|-Wlogical-op|-Wno-stringop-*|-Wno-restrict) ;;
    *.gch)
      # To make it again, clang would begin with the one that is there.
      rm -f "$argument"
      arguments+=("$argument")
      ;;
    *) arguments+=("$argument") ;;
  esac
done
if [[ $compiler == *mingw32* ]]; then
  # clang finds mingw's C headers by its target, but no C++ library in the folders of Debian's two
  # flavours of gcc: that compiler says itself where it is. What the library's inline functions depend on
  # is as that compiler does and defines it.
  options+=(--target=x86_64-w64-mingw32 -nostdinc++ -femulated-tls
    -D__GXX_MERGED_TYPEINFO_NAMES=0 -D__GXX_TYPEINFO_EQUALITY_INLINE=0)
  while IFS= read -r folder; do
    options+=(-isystem "$folder")
  done < <(LC_ALL=C "$compiler" -E -v -x c++ /dev/null 2>&1 >/dev/null |
    sed -n '/^#include <...>/,/^End of search/s/^ \(.*\/c++.*\)/\1/p')
fi
exec "${options[@]}" "${arguments[@]}"
