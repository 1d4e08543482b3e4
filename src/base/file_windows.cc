#include <windows.h>

#include <string>

#include "src/base/file.h"
#include "src/base/unique_handle.h"

namespace echo_exporter {
namespace {

struct FileHandleTraits {
  using Handle = HANDLE;
  static Handle Invalid() { return INVALID_HANDLE_VALUE; }
  static void Close(Handle handle) { CloseHandle(handle); }
};
using UniqueFile = UniqueHandle<FileHandleTraits>;

std::uint64_t Join(DWORD high, DWORD low) {
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

}  // namespace

FileStamp ReadFileStamp(const std::string& path) {
  // Not GetFileAttributesEx(), although it takes a tenth of the time: for a
  // symbolic link it returns the link's own times, which do not change with its
  // target. The sharing mode lets others read, replace or remove the file
  // meanwhile.
  constexpr DWORD kShareAll =
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const UniqueFile file(CreateFileW(
      PathFromUtf8(path).wstring().c_str(), FILE_READ_ATTRIBUTES, kShareAll,
      nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
  BY_HANDLE_FILE_INFORMATION data;
  if (!file || !GetFileInformationByHandle(file.get(), &data)) return {};
  return {.exists = true,
          .size = Join(data.nFileSizeHigh, data.nFileSizeLow),
          .written = Join(data.ftLastWriteTime.dwHighDateTime,
                          data.ftLastWriteTime.dwLowDateTime),
          .identity = Join(data.nFileIndexHigh, data.nFileIndexLow)};
}

}  // namespace echo_exporter
