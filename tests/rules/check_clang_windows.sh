#!/bin/bash
# Has clang look at the Windows sources, which gcc compiles: for what only clang sees, above all
# whether what GUARDED_BY says of locks is kept. Compiles nothing.
#
# Usage: tests/rules/check_clang_windows.sh     (exit status 1 if clang complains)
set -euo pipefail
cd "$(dirname "$0")/../.."

# clang finds mingw's C headers by its target, but no C++ library in the folders of Debian's
# two flavours of gcc: that compiler says itself where it is.
compiler=$(sed -n 's/^set(CMAKE_CXX_COMPILER \(.*\))$/\1/p' cmake/toolchain-mingw-w64.cmake)
library=()
while IFS= read -r folder; do
  library+=(-isystem "$folder")
done < <(LC_ALL=C "$compiler" -E -v -x c++ /dev/null 2>&1 >/dev/null |
  sed -n '/^#include <...>/,/^End of search/s/^ \(.*\/c++.*\)/\1/p')
if ((${#library[@]} == 0)); then
  echo "$compiler does not say where its C++ library is" >&2
  exit 1
fi

# look FILE...: at all of them as one.
look() {
  printf '#include "%s"\n' "$@" | clang++ -x c++ --target=x86_64-w64-mingw32 \
    -fsyntax-only -std=c++20 -nostdinc++ "${library[@]}" -isystem build/deps/windows-mingw/include \
    -I. -Iinclude -D_WIN32_WINNT=0x0A00 -DNOMINMAX -DWIN32_LEAN_AND_MEAN \
    -Wall -Wextra -Wshadow -Wthread-safety -Werror -
}

# Each of the program's files must include what it uses, so alone; a benchmark is a program.
mapfile -t sources < <(find src tests/bench -name '*_windows.cc' | sort)
mapfile -t folders < <(find tests -path tests/bench -prune -o -name '*_windows*.cc' -printf '%h\n' |
  sort --unique)
for part in "${sources[@]}" "${folders[@]}"; do
  if [[ -d $part ]]; then
    look "$part"/*_windows*.cc &
  else
    look "$part" &
  fi
  # As many at once as there are processors.
  (($(jobs -rp | wc -l) < $(nproc))) || wait -n
done
while [[ -n $(jobs -p) ]]; do wait -n; done
echo "clang: ${#sources[@]} Windows files, and the tests of ${#folders[@]} folders"
