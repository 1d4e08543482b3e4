# Writes OUTPUT, a C++ source that has the page's script and stylesheet as bytes. Run as a script, when one of
# the files has changed: cmake -DOUTPUT=... -DSCRIPT=FILE;... -DSTYLE=FILE -P embed_files.cmake
#
# The script is the files of SCRIPT, one after the other. A name has a part of the hash of the content, so that
# browsers may keep a file for good. Bytes are numbers, because Visual C++ limits the length of a string.

# embed(VARIABLE EXTENSION TYPE FILE...): the bytes, and the entry that tells of them.
function(embed variable extension type)
  set(hex "")
  foreach(file IN LISTS ARGN)
    file(READ ${file} content HEX)
    string(APPEND hex ${content})
  endforeach()
  string(SHA256 hash ${hex})
  string(SUBSTRING ${hash} 0 12 hash)
  string(REGEX REPLACE "(................................)" "\\1\n" hex ${hex})
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex ${hex})
  set(bytes "${bytes}constexpr unsigned char k${variable}Bytes[] = {\n${hex}};\n" PARENT_SCOPE)
  set(entries "${entries}    StaticFile{\"page.${hash}.${extension}\", \"${type}; charset=utf-8\",
               {reinterpret_cast<const char*>(k${variable}Bytes), sizeof k${variable}Bytes}},
" PARENT_SCOPE)
endfunction()

set(bytes "")
set(entries "")
embed(Script js text/javascript ${SCRIPT})
embed(Style css text/css ${STYLE})
file(WRITE ${OUTPUT} "// Made by cmake/embed_files.cmake.
#include \"src/web/static_files.h\"

#include <array>

namespace echo_exporter {
namespace {

${bytes}
}  // namespace

std::span<const StaticFile> StaticFiles() {
  static const std::array files{
${entries}  };
  return files;
}

std::string_view ScriptName() { return StaticFiles()[0].name; }
std::string_view StyleName() { return StaticFiles()[1].name; }

}  // namespace echo_exporter
")
