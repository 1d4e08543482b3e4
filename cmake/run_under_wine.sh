#!/bin/bash
# Runs a Windows executable under Wine, without a display or a dialog.
#
# Usage: cmake/run_under_wine.sh PROGRAM.exe [ARGUMENT]...
#
# stdout, stderr and the exit status are the program's. Any number of calls may run at once. The
# Wine prefix is build/wineprefix, or WINEPREFIX where that is set.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "$0")")")
readonly wine=$root/cmake/wine.sh
export WINEPREFIX=${WINEPREFIX:-$root/build/wineprefix}
export WINEDEBUG=${WINEDEBUG:--all}
# No Mono, no Gecko (both ask to be downloaded), no desktop menus.
export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'

# Made beside its final place, so that a prefix is there as a whole or not at all.
make_prefix() {
  [[ -d $WINEPREFIX ]] && return
  rm -rf "$WINEPREFIX.new"
  if [[ -d $root/build/wineprefix ]]; then
    cp --archive --reflink=auto "$root/build/wineprefix" "$WINEPREFIX.new"
  else
    WINEPREFIX=$WINEPREFIX.new "$wine" wineboot --init
    WINEPREFIX=$WINEPREFIX.new wineserver --wait
  fi
  mv "$WINEPREFIX.new" "$WINEPREFIX"
}

if [[ ! -d $WINEPREFIX ]]; then
  mkdir -p "$(dirname "$WINEPREFIX")"
  (flock 9; make_prefix) 9>"$WINEPREFIX.lock" >"$WINEPREFIX.log" 2>&1 </dev/null ||
    { cat "$WINEPREFIX.log" >&2; exit 125; }
fi

# Wine's helper processes inherit a program's output and live on after it; whoever read it through
# a pipe would wait for them.
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

# A server that stays for a minute makes the next call ten times faster.
wineserver --persistent=60 >/dev/null 2>&1 </dev/null || true
status=0
"$wine" "$@" >"$output/stdout" 2>"$output/stderr" || status=$?
cat "$output/stdout"
cat "$output/stderr" >&2
exit "$status"
