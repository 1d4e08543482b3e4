#!/bin/bash
# Installs the Debian packages that this project needs.
#
# Usage: cmake/install_packages.sh [build|run|test|bench]...     (default: build run test)
#   build  compile the Windows and the Linux targets
#   run    run the Windows executable (Wine)
#   test   everything that tests/run needs besides
#   bench  what tests/bench/run_linux compares the exporter with
set -euo pipefail

# Packages whose names tell their version.
case $(. /etc/os-release && echo "${VERSION_CODENAME:-}") in
  bookworm) clang_version=14 ;;
  trixie) clang_version=19 ;;
  *) echo "packages: neither Debian 12 nor 13; the preset linux-vcpkg needs no packages" >&2; exit 1 ;;
esac

build_packages=(
  ca-certificates clang cmake dpkg-dev g++ g++-mingw-w64-x86-64-posix git lld make ninja-build perl
  pkg-config python3
  # Dependencies of the exporter that cmake/deps.sh takes from packages.
  googletest libcli11-dev libidn2-dev libssl-dev libtomlplusplus-dev libz-mingw-w64-dev
  nlohmann-json3-dev zlib1g-dev
)
run_packages=(curl wine wine64)
test_packages=(
  bash-completion chromium chromium-driver clang-format clang-tidy crun curl iproute2
  "libclang-rt-$clang_version-dev" lintian man-db msitools nftables openssl prometheus
  prometheus-alertmanager prometheus-blackbox-exporter protobuf-compiler pyflakes3 python3
  python3-yaml systemd umoci wixl
)
# Where Node.js is not Debian's, it has brought npm.
command -v npm >/dev/null || test_packages+=(npm)
bench_packages=(fping prometheus-smokeping-prober)

packages=()
for set_name in "${@:-build run test}"; do
  for name in $set_name; do
    case $name in
      build) packages+=("${build_packages[@]}") ;;
      run) packages+=("${run_packages[@]}") ;;
      test) packages+=("${test_packages[@]}") ;;
      bench) packages+=("${bench_packages[@]}") ;;
      *) echo "usage: $0 [build|run|test|bench]..." >&2; exit 2 ;;
    esac
  done
done

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "packages: all ${#packages[@]} are installed"
  exit 0
fi

echo "packages: installing ${missing[*]}; this may take some minutes"
as_root=()
((EUID == 0)) || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
# RUNLEVEL=1 keeps the packages of daemons from starting them where systemd is not used.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
  apt-get install -qq --no-install-recommends "${missing[@]}" >/dev/null
