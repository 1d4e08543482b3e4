#!/bin/bash
# wine, without random addresses: Wine 8 maps data at the fixed address 0x7ffe0000, and a Linux since
# 6.9 puts a program's heap there once in some thousand starts. Such a start fails with exit status 1
# and, under WINEDEBUG=-all, without a word.
#
# Usage: cmake/wine.sh PROGRAM.exe [ARGUMENT]...
set -eu

fixed=(setarch --addr-no-randomize)
"${fixed[@]}" true 2>/dev/null || fixed=()  # some containers forbid it
exec "${fixed[@]}" wine "$@"
