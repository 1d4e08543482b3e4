#!/bin/bash
# Makes the CMake prefixes build/deps/<platform>, which hold the exporter's dependencies.
#
# Usage: cmake/deps.sh [windows-mingw|linux]...     (default: both)
#
# Runs on Debian 12 and 13. prometheus-cpp, cpp-httplib, yaml-cpp, spdlog with fmt, Botan (for bcrypt)
# and, for Windows, OpenSSL come from Debian's source packages; GoogleTest, the header-only libraries
# and, for Linux, OpenSSL from installed packages (cmake/install_packages.sh build). A prefix is made
# again only when this script or one of those packages changed.
set -euo pipefail

readonly kPrometheusCppVersion=1.0.1
readonly kHttplibVersion=0.41.
readonly kHttplibSuite=forky  # The current one: fixes come in later revisions.
readonly kSuite=bookworm  # Of the others, whichever release of Debian this machine has.
readonly kYamlCppVersion=0.7.0
readonly kSpdlogVersion=1.10.0
readonly kFmtVersion=9.1.0
readonly kBotanVersion=2.19.3
readonly kOpensslVersion=3.0.  # Debian's latest of these: each only corrects faults.
readonly kArchiveKeyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly kHeaderPackages=(libcli11-dev libtomlplusplus-dev nlohmann-json3-dev)

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
script=$(readlink -f "$0")
cmake_dir=$(dirname "$script")
deps_dir=$(dirname "$cmake_dir")/build/deps
downloads=$deps_dir/downloads

fail() {
  echo "deps: $*" >&2
  exit 1
}

# Prints the upstream version of an installed package.
package_version() {
  dpkg-query --show --showformat='${source:Upstream-Version}' "$1" 2>/dev/null ||
    fail "package $1 is not installed: run cmake/install_packages.sh build"
}

# Everything that decides what a prefix contains.
stamp_of() {
  local packages=(googletest "${kHeaderPackages[@]}" g++ libssl-dev)
  [[ $1 == linux ]] ||
    packages=(googletest "${kHeaderPackages[@]}" g++-mingw-w64-x86-64-posix libz-mingw-w64-dev)
  sha256sum "$script" "$cmake_dir/toolchain-mingw-w64.cmake" | cut -d' ' -f1
  dpkg-query --show "${packages[@]}" ||
    fail "packages are missing: run cmake/install_packages.sh build"
}

# source_lines [APT OPTION]...: prints the source lines of this machine's Debian archive, whatever
# format apt's configuration has, for the suites that the source packages come from.
source_lines() {
  apt-get indextargets "$@" --format '$(ORIGIN) $(RELEASE) $(CODENAME) $(REPO_URI)' \
    'Created-By: Packages' 'Component: main' |
    awk -v release="$release" -v suites="$kSuite $kHttplibSuite" -v keyring="$kArchiveKeyring" '
      $1 == "Debian" && ($2 == release || $3 == release) {
        count = split(suites, suite, " ")
        for (i = 1; i <= count; ++i) {
          print "deb-src [signed-by=" keyring "] " $4 " " suite[i] " main"
        }
      }' | sort -u
}

# Succeeds when all source packages are there.
have_sources() {
  local description
  for description in "prometheus-cpp_$kPrometheusCppVersion" "cpp-httplib_$kHttplibVersion" \
    "yaml-cpp_$kYamlCppVersion" "spdlog_$kSpdlogVersion" "fmtlib_$kFmtVersion" \
    "botan_$kBotanVersion" "openssl_$kOpensslVersion"; do
    compgen -G "$downloads/$description*.dsc" >/dev/null || return 1
  done
}

# Downloads the source packages with a private apt configuration; /etc/apt stays as it is.
download_sources() {
  (
    flock 8
    if ! have_sources; then download_all_sources; fi
  ) 8>"$deps_dir/.downloads.lock"
}

download_all_sources() {
  local apt_dir=$work/apt
  mkdir -p "$apt_dir"/{lists,cache,download,sources.list.d}
  ((EUID != 0)) || chown -R _apt "$apt_dir"
  local state=(-o Dir::State::lists="$apt_dir/lists" -o Dir::Cache="$apt_dir/cache")

  echo "deps: downloading sources"
  source_lines >"$apt_dir/sources.list"
  if [[ ! -s $apt_dir/sources.list ]]; then  # no package lists on this machine
    apt-get -qq update "${state[@]}"
    source_lines "${state[@]}" >"$apt_dir/sources.list"
  fi
  [[ -s $apt_dir/sources.list ]] || fail "no Debian archive of $release in apt's configuration"
  state+=(-o Dir::Etc::sourcelist="$apt_dir/sources.list"
    -o Dir::Etc::sourceparts="$apt_dir/sources.list.d")
  apt-get -qq update "${state[@]}"
  (cd "$apt_dir/download" && apt-get -qq source "${state[@]}" --download-only \
    "prometheus-cpp/$kSuite" "cpp-httplib/$kHttplibSuite" "yaml-cpp/$kSuite" \
    "spdlog/$kSuite" "fmtlib/$kSuite" "botan/$kSuite" "openssl/$kSuite")
  mkdir -p "$downloads"
  cp "$apt_dir"/download/* "$downloads/"
}

# unpack PACKAGE VERSION: unpacks a source package to $work/PACKAGE, once.
unpack() {
  [[ ! -d $work/$1 ]] || return 0
  local description
  description=$(compgen -G "$downloads/$1_$2*.dsc" | sort --version-sort | tail -n 1)
  if [[ -z $description ]]; then
    fail "$1 $2 is wanted, but Debian has $(cd "$downloads" && echo "$1"_*.dsc)"
  fi
  echo "deps: unpacking $(basename "$description" .dsc)"
  dpkg-source --extract "$description" "$work/$1" >"$work/$1.log" 2>&1 ||
    { cat "$work/$1.log" >&2; fail "cannot unpack $description"; }
}

# cmake_install PLATFORM PREFIX SOURCE [CMAKE OPTION]...
cmake_install() {
  local platform=$1 prefix=$2 source=$3 build log
  build=$work/build-$platform-$(basename "$3")
  log=$build.log
  shift 3
  # -O1: the program spends its time in its own code, and in zlib.
  local options=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE='-O1 -DNDEBUG'
    -DBUILD_SHARED_LIBS=OFF -DCMAKE_UNITY_BUILD=ON
    -DCMAKE_UNITY_BUILD_BATCH_SIZE=0  # One file takes a quarter of the time of many.
    -DCMAKE_CXX_STANDARD=20 -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib)
  if [[ $platform == windows-mingw ]]; then
    options+=(-DCMAKE_TOOLCHAIN_FILE="$cmake_dir/toolchain-mingw-w64.cmake"
      -DECHO_EXPORTER_DEPS="$prefix")
  fi
  echo "deps: $platform: building $(basename "$source")"
  { cmake -S "$source" -B "$build" "${options[@]}" "$@" &&
    cmake --build "$build" && cmake --install "$build"; } >"$log" 2>&1 ||
    { tail -n 40 "$log" >&2; fail "$platform: cannot build $(basename "$source")"; }
}

# make_install PLATFORM SOURCE BUILD_TARGET INSTALL_TARGET CONFIGURE [OPTION]...: for sources that
# bring a configure script of their own.
make_install() {
  local platform=$1 source=$2 build_target=$3 install_target=$4
  local build=$work/build-$platform-$source
  shift 4
  mkdir -p "$build"
  echo "deps: $platform: building $source"
  (cd "$build" && "$@" && make -j2 "$build_target" && make "$install_target") \
    >"$build.log" 2>&1 ||
    { tail -n 40 "$build.log" >&2; fail "$platform: cannot build $source"; }
}

# TLS 1.2 and 1.3, and nothing that is loaded later: the program needs no file beside it. What computes
# much is assembler: at -O1 a handshake takes a twelfth longer than at -O3, all else as long, and the
# library a quarter less to compile.
readonly kOpensslOptions=(
  -O1 no-makedepend
  no-shared no-tests no-module no-engine no-dso no-legacy no-autoload-config no-ui-console no-capieng
  no-comp no-ssl3 no-tls1 no-tls1_1 no-dtls no-psk no-srp no-srtp no-nextprotoneg no-gost
  no-deprecated no-ct no-ts no-cms no-cmp no-ocsp no-rfc3779 no-dsa no-ec2m no-sm2 no-sm3 no-sm4
  no-aria no-bf no-blake2 no-camellia no-cast no-des no-idea no-md4 no-mdc2 no-ocb no-rc2 no-rc4
  no-rmd160 no-scrypt no-seed no-siphash no-siv no-whirlpool)

install_openssl_for_windows() {
  unpack openssl "$kOpensslVersion"
  make_install windows-mingw openssl build_libs install_dev \
    "$work/openssl/Configure" mingw64 --cross-compile-prefix=x86_64-w64-mingw32- \
    --prefix="$1" --libdir=lib --openssldir=/nowhere --release "${kOpensslOptions[@]}"
}

# Botan's only task is bcrypt. The CMake package is like the one that later versions bring.
install_botan() {
  local platform=$1 prefix=$2 target=(--os=linux)
  [[ $platform == linux ]] || target=(--os=mingw --cc-bin=x86_64-w64-mingw32-g++-posix
    --ar-command=x86_64-w64-mingw32-ar)
  unpack botan "$kBotanVersion"
  make_install "$platform" botan libs install \
    python3 "$work/botan/configure.py" "${target[@]}" --cpu=x86_64 --cc=gcc --prefix="$prefix" \
    --build-targets=static --amalgamation --minimized-build --enable-modules=bcrypt \
    --without-documentation
  local dir=$prefix/lib/cmake/Botan
  mkdir -p "$dir"
  cat >"$dir/BotanConfig.cmake" <<'END'
if(NOT TARGET Botan::Botan-static)
  get_filename_component(_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  add_library(Botan::Botan-static STATIC IMPORTED)
  set_target_properties(Botan::Botan-static PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/libbotan-2.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include/botan-2")
endif()
END
}

# header_only PREFIX PACKAGE FOLDER TARGET: copies /usr/include/FOLDER and writes the
# CMake package that has the imported target TARGET.
header_only() {
  local prefix=$1 package=$2 folder=$3 target=$4 config=${4%%::*} version
  version=$(package_version "$package")
  version=${version%%+*}  # "+ds" and the like are Debian's.
  local dir=$prefix/lib/cmake/$config
  mkdir -p "$prefix/include" "$dir"
  cp -r "/usr/include/$folder" "$prefix/include/"
  cat >"$dir/${config}Config.cmake" <<END
if(NOT TARGET $target)
  get_filename_component(_prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  add_library($target INTERFACE IMPORTED)
  target_include_directories($target INTERFACE "\${_prefix}/include")
endif()
END
  cat >"$dir/${config}ConfigVersion.cmake" <<END
set(PACKAGE_VERSION "$version")
if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
END
  echo "deps: $config $version (headers of $package)"
}

install_header_only_libraries() {
  local prefix=$1
  header_only "$prefix" libtomlplusplus-dev toml++ tomlplusplus::tomlplusplus
  header_only "$prefix" libcli11-dev CLI CLI11::CLI11
  header_only "$prefix" nlohmann-json3-dev nlohmann nlohmann_json::nlohmann_json
}

# The Windows program takes zlib's static library, which lies beside a shared one.
install_zlib_for_windows() {
  local prefix=$1 package=/usr/x86_64-w64-mingw32
  cp "$package"/include/{zlib,zconf}.h "$prefix/include/"
  cp "$package/lib/libz.a" "$prefix/lib/"
  echo "deps: zlib $(package_version libz-mingw-w64-dev) (libz-mingw-w64-dev)"
}

make_prefix() {
  local platform=$1 prefix=$deps_dir/$1 fresh=$deps_dir/$1.new
  local stamp
  stamp=$(stamp_of "$platform")
  if [[ -f $prefix/.stamp && $(<"$prefix/.stamp") == "$stamp" ]]; then
    echo "deps: $platform is up to date"
    return
  fi

  download_sources
  unpack prometheus-cpp "$kPrometheusCppVersion"
  unpack cpp-httplib "$kHttplibVersion"
  rm -rf "$fresh"
  install_header_only_libraries "$fresh"
  if [[ $platform == windows-mingw ]]; then
    install_zlib_for_windows "$fresh"
    install_openssl_for_windows "$fresh"
  fi
  install_botan "$platform" "$fresh"
  unpack yaml-cpp "$kYamlCppVersion"
  cmake_install "$platform" "$fresh" "$work/yaml-cpp" -DYAML_CPP_BUILD_TESTS=OFF \
    -DYAML_CPP_BUILD_TOOLS=OFF -DYAML_BUILD_SHARED_LIBS=OFF
  unpack fmtlib "$kFmtVersion"
  cmake_install "$platform" "$fresh" "$work/fmtlib" -DFMT_DOC=OFF -DFMT_TEST=OFF
  unpack spdlog "$kSpdlogVersion"
  cmake_install "$platform" "$fresh" "$work/spdlog" -DCMAKE_PREFIX_PATH="$fresh" \
    -DSPDLOG_FMT_EXTERNAL=ON -DSPDLOG_BUILD_EXAMPLE=OFF
  cmake_install "$platform" "$fresh" "$work/prometheus-cpp" \
    -DENABLE_PULL=OFF -DENABLE_PUSH=OFF -DENABLE_COMPRESSION=OFF -DENABLE_TESTING=OFF \
    -DUSE_THIRDPARTY_LIBRARIES=OFF -DGENERATE_PKGCONFIG=OFF
  # Compiled once here, not in each build. libstdc++ for mingw-w64 runs the destructors of a thread's
  # variables when their memory is freed already. cpp-httplib has such variables, all constant where
  # they are used: one for all threads does as well.
  sed -i 's/static thread_local/thread_local/' "$work/cpp-httplib/httplib.h"
  local flags=
  [[ $platform != windows-mingw ]] || flags=-Dthread_local=static
  cmake_install "$platform" "$fresh" "$work/cpp-httplib" -DCMAKE_PREFIX_PATH="$fresh" \
    -DCMAKE_CXX_FLAGS="$flags" -DHTTPLIB_COMPILE=ON -DHTTPLIB_TEST=OFF \
    -DHTTPLIB_REQUIRE_OPENSSL=ON -DHTTPLIB_REQUIRE_ZLIB=ON \
    -DHTTPLIB_USE_BROTLI_IF_AVAILABLE=OFF -DHTTPLIB_USE_ZSTD_IF_AVAILABLE=OFF \
    -DHTTPLIB_USE_NON_BLOCKING_GETADDRINFO=OFF
  # As the tests themselves: it takes longer to optimise it than its use ever gains.
  cmake_install "$platform" "$fresh" /usr/src/googletest -DINSTALL_GTEST=ON -DBUILD_GMOCK=ON \
    -DCMAKE_CXX_FLAGS_RELEASE=-O0
  echo "$stamp" >"$fresh/.stamp"
  rm -rf "$prefix"
  mv "$fresh" "$prefix"
  echo "deps: $platform is ready in $prefix"
}

platforms=("$@")
((${#platforms[@]})) || platforms=(windows-mingw linux)
for platform in "${platforms[@]}"; do
  [[ $platform == windows-mingw || $platform == linux ]] ||
    { echo "usage: $0 [windows-mingw|linux]..." >&2; exit 2; }
done

mkdir -p "$deps_dir"
work=$(mktemp -d)
chmod 711 "$work"  # apt downloads as its own user.
trap 'rm -rf "$work"' EXIT
for platform in "${platforms[@]}"; do
  exec 9>"$deps_dir/.$platform.lock"
  flock 9
  make_prefix "$platform"
done
