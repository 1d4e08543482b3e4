#ifndef ECHO_EXPORTER_SRC_BASE_FILE_H_
#define ECHO_EXPORTER_SRC_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include "echo_exporter/result.h"

namespace echo_exporter {

/// Converts between a path and its text in UTF-8, on every operating system.
std::filesystem::path PathFromUtf8(std::string_view text);
std::string PathToUtf8(const std::filesystem::path& path);

/// Reads a whole file of at most `max_bytes`; an error is the cause alone, as
/// in "No such file or directory". Thread-safe.
Result<std::string> ReadFile(
    const std::string& path,
    std::size_t max_bytes = std::numeric_limits<std::size_t>::max());

/// Identifies a version of a file without reading it.
struct FileStamp {
  bool exists = false;
  std::uint64_t size = 0;
  std::uint64_t written = 0;   ///< in the system's smallest unit
  std::uint64_t identity = 0;  ///< differs when another file has the name

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Follows symbolic links. A file that cannot be examined counts as missing.
/// Thread-safe.
FileStamp ReadFileStamp(const std::string& path);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_FILE_H_
