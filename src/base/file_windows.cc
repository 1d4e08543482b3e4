#include <windows.h>

#include "src/base/file.h"

namespace echo_exporter {
namespace {

std::uint64_t Join(DWORD high, DWORD low) {
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

std::uint64_t Ticks(const FILETIME& time) {
  return Join(time.dwHighDateTime, time.dwLowDateTime);
}

}  // namespace

FileStamp ReadFileStamp(const std::string& path) {
  // Opening the file as well, for its number, would cost ten times as much.
  WIN32_FILE_ATTRIBUTE_DATA data;
  if (!GetFileAttributesExW(PathFromUtf8(path).c_str(), GetFileExInfoStandard,
                            &data)) {
    return {};
  }
  return {.exists = true,
          .size = Join(data.nFileSizeHigh, data.nFileSizeLow),
          .written = Ticks(data.ftLastWriteTime),
          .identity = Ticks(data.ftCreationTime)};
}

}  // namespace echo_exporter
