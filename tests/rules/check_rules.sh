#!/bin/bash
# Checks the rules of the source tree that no compiler checks.
#
# Usage: tests/rules/check_rules.sh     (prints each violation; exit status 1 if there is one)
set -euo pipefail
cd "$(dirname "$0")/../.."

violations=0

# report RULE: prints the lines of stdin, each a violation of RULE.
report() {
  local rule=$1 line
  while IFS= read -r line; do
    echo "$line"
    echo "  rule: $rule"
    violations=$((violations + 1))
  done
}

# Lists the C++ files below the given folders.
sources() {
  find "$@" -type f \( -name '*.h' -o -name '*.cc' \) | sort
}

# search PATTERN FILE...: like grep -nE; finding nothing, or having no file, is no error.
search() {
  local pattern=$1
  shift
  (($# == 0)) || grep -nE -- "$pattern" "$@" /dev/null || true
}

mapfile -t all_files < <(sources src include tests)
mapfile -t portable_files < <(sources src include tests |
  grep -vE '_(windows|linux|posix)(_test)?\.(h|cc)$')
mapfile -t product_files < <(sources src include)
mapfile -t contract_files < <(sources include)
mapfile -t http_files < <(sources src/http; echo include/echo_exporter/http_server.h)
mapfile -t unit_test_files < <(sources tests | grep -vE '^tests/(bench|e2e)/')

os_headers='windows|winsock2?|ws2tcpip|iphlpapi|icmpapi|ipexport|psapi|processthreadsapi|synchapi'
os_headers+='|winternl|unistd|fcntl|poll|pthread|signal|dlfcn|ifaddrs|netdb|dirent|sched'
os_headers+='|sys/[a-z_]+|net/[a-z_]+|netinet/[a-z_0-9]+|arpa/[a-z]+|linux/[a-z_]+'

report "the operating system is told apart only in *_windows.*, *_linux.* and *_posix.*" < <(
  search '_WIN32|__linux__|WIN32_LEAN_AND_MEAN' "${portable_files[@]}")
report "OS headers are included only in *_windows.*, *_linux.* and *_posix.*" < <(
  search "^ *# *include *<($os_headers)\.h>" "${portable_files[@]}")

# third_party INCLUDE PLACE...: the library whose headers match INCLUDE is used in the folders and files named
# only. It is one file where the library takes long to compile or has a tree of its own.
third_party() {
  local include=$1 places
  shift
  places=$(IFS='|' && echo "$*")
  report "${include//\\/} is included in $* only" < <(
    search "^ *# *include *[<\"]$include" "${product_files[@]}" | grep -vE "^($places)[/:]" || true)
}
third_party 'toml\+\+/' src/config/toml_document.cc
third_party 'prometheus/' src/recorder
third_party 'spdlog/' src/base
third_party 'CLI/' src/app
third_party 'nlohmann/' src/config/json_document.cc
third_party 'fmt/' src/base
third_party 'idn2\.h' src/base
third_party 'zlib\.h' src/http
third_party 'openssl/' src/http
third_party 'botan/' src/http
third_party 'yaml-cpp/' src/config/yaml_document.cc

# Every file that includes it takes seconds longer to compile, and its insides change.
report "httplib.h is included by one file of src/http only" < <(
  search '^ *# *include *[<"]httplib' "${all_files[@]}" | grep -v '^src/http/http_library\.cc:' || true)
report "no details of httplib are used" < <(search 'httplib::[d]etail' "${all_files[@]}")
report "the HTTP server knows no word of probes" < <(
  search '[Pp]rob(e|ing)' "${http_files[@]}")

report "include/ includes nothing but the standard library and itself" < <(
  search '^ *# *include' "${contract_files[@]}" |
    grep -vE '# *include *(<[a-z_]+>|"echo_exporter/[a-z_]+\.h")' || true)
report "a header is included once by #pragma once" < <(
  mapfile -t headers < <(printf '%s\n' "${all_files[@]}" | grep '\.h$')
  grep -L -x '#pragma once' "${headers[@]}" || true
  search '^ *# *ifndef .*_H_$' "${headers[@]}")
report "our own headers are included by their path from the root or from include/" < <(
  search '^ *# *include *"(\.|[^/]*")' "${product_files[@]}")
# room NAME [ROOM]...: a room's files include, besides the contracts of include/, its own headers, those of
# src/base and those of the rooms named.
rooms=()
room() {
  local name=$1 allowed files
  allowed=$(IFS='|' && echo "base|$*")
  rooms+=("$name")
  mapfile -t files < <(sources "src/$name")
  report "src/$name includes only contracts and headers of src/{${allowed//|/,}}" < <(
    search '^ *# *include *"src/' "${files[@]}" |
      grep -vE "# *include *\"src/($allowed)/" || true)
}
room base
room config
room discovery
room scheduler
room resolver
room transport
room recorder
room history
room http
room service
room engine
room probe engine
room web
room app engine probe service web
report "every folder of src/ is a room with rules" < <(
  comm -13 <(printf '%s\n' "${rooms[@]}" | sort) <(find src -mindepth 1 -maxdepth 1 -printf '%f\n' | sort))

report "a source file has at most 450 lines" < <(
  for file in "${product_files[@]}"; do
    lines=$(wc -l <"$file")
    ((lines <= 450)) || echo "$file: $lines lines"
  done)
report "each message of the log is in the table of docs/operations.md" < <(tests/rules/log_messages.py)
report "a unit test neither sleeps nor is skipped without a reason" < <(
  search 'sleep_for|sleep_until|GTEST_SKIP|DISABLED_' "${unit_test_files[@]}" |
    grep -vE 'GTEST_SKIP\(\) << "[a-zA-Z ]{10}' || true)
# C++ libraries differ in them: compare with std::generic_category().message().
report "a unit test expects no C++ library's words for an errno" < <(
  mapfile -t expected_messages < <(find tests -name '*.txt' -path '*/testdata/*')
  search '[Nn]o such (file|device|process)|[Pp]ermission denied|[Ii]s a directory|[Nn]ot a directory' \
    "${unit_test_files[@]}" "${expected_messages[@]}")

# Scripts that no test runs, such as benchmarks, among them.
mapfile -t python_files < <(
  { find cmake deploy tests -name '*.py'; grep -rlE '^#!/usr/bin/env python3' cmake deploy tests; } | sort -u)
report "Python names what it uses, and uses what it names" < <(pyflakes3 "${python_files[@]}" 2>&1 || true)

echo "rules: ${#all_files[@]} files, $violations violations"
((violations == 0))
