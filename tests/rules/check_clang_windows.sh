#!/bin/bash
# Has clang look at the Windows sources of the program and of the benchmarks, which gcc compiles: for
# what only clang sees, above all whether what GUARDED_BY says of locks is kept. Compiles nothing. (The
# unit tests are compiled by clang.)
#
# Usage: tests/rules/check_clang_windows.sh     (exit status 1 if clang complains)
set -euo pipefail
cd "$(dirname "$0")/../.."

compiler=$(sed -n 's/^set(CMAKE_CXX_COMPILER \(.*\))$/\1/p' cmake/toolchain-mingw-w64.cmake)

look() {
  cmake/clang_in_place.sh "$compiler" -fsyntax-only -std=c++20 \
    -isystem build/deps/windows-mingw/include -I. -Iinclude \
    -D_WIN32_WINNT=0x0A00 -DNOMINMAX -DWIN32_LEAN_AND_MEAN -Wall -Wextra -Wshadow -Werror "$1"
}

# Each must include what it uses, so alone.
mapfile -t sources < <(find src tests/bench -name '*_windows.cc' | sort)
for source in "${sources[@]}"; do
  look "$source" &
  # As many at once as there are processors.
  (($(jobs -rp | wc -l) < $(nproc))) || wait -n
done
while [[ -n $(jobs -p) ]]; do wait -n; done
echo "clang: ${#sources[@]} Windows files"
