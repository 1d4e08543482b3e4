#!/bin/bash
# Runs clang-tidy, whose checks .clang-tidy names. Compiles nothing.
#
# Usage: tests/rules/check_tidy.sh [--all]     (exit status 1 if clang-tidy complains)
#
# Without --all, it looks at what differs from the commit at which this branch left origin/main, or
# main where there is no such remote branch: commits, changes that are not committed, and new files.
# On main itself, where nothing differs, it looks at the last commit, and without a history at
# nothing. A header is looked at in the source file of its name, or else in the first that includes
# it. Windows sources are left out: clang-tidy has no standard library for them
# (check_clang_windows.sh compiles them with clang).
set -euo pipefail
cd "$(dirname "$0")/../.."

build=build/linux-tidy

# Lists the files that differ from main.
changed_files() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null) ||
    base=HEAD
  if git diff --quiet "$base" -- src include tests &&
    git rev-parse --quiet --verify HEAD^ >/dev/null; then
    base=HEAD^
  fi
  git diff --name-only --diff-filter=d "$base"
  git ls-files --others --exclude-standard
}

# Reads files, and lists the sources of the build in which clang-tidy sees them.
sources_of() {
  local file
  while IFS= read -r file; do
    case $file in
      *.cc) echo "$file" ;;
      *.h)
        if [[ -e ${file%.h}.cc ]]; then
          echo "${file%.h}.cc"
        else
          git grep -l --untracked --fixed-strings "#include \"${file#include/}\"" -- '*.cc' |
            grep -v windows | head -n 1 || true
        fi
        ;;
    esac
  done | sort -u | comm -12 - <(built_sources)
}

# Lists the sources of the build.
built_sources() {
  sed -n "s|^  \"file\": \"$PWD/\(.*\)\",\{0,1\}$|\1|p" $build/compile_commands.json |
    grep -v '^build/' | sort -u
}

cmake --preset linux-tidy >$build.log 2>&1 || { cat $build.log; exit 1; }
if [[ ${1:-} == --all ]]; then
  mapfile -t files < <(built_sources)
else
  git rev-parse --quiet --verify HEAD >/dev/null || { echo "tidy: no history"; exit 0; }
  mapfile -t files < <(changed_files | sources_of)
fi
((${#files[@]} == 0)) || printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy -p $build --quiet
echo "tidy: ${#files[@]} files"
