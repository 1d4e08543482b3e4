#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "src/base/file.h"
#include "src/base/text_windows.h"
#include "src/base/unique_handle_windows.h"

namespace echo_exporter {
namespace {

// Lets others read, replace or remove a file while it is open here.
constexpr DWORD kShareAll =
    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

Error SystemError(DWORD code) {
  const bool missing = code == ERROR_FILE_NOT_FOUND ||
                       code == ERROR_PATH_NOT_FOUND ||
                       code == ERROR_INVALID_NAME;
  return {ErrorCode::kNotFound, missing
                                    ? std::generic_category().message(ENOENT)
                                    : SystemErrorText(code)};
}

bool WriteAll(HANDLE file, std::string_view text) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  while (!text.empty()) {
    DWORD written = 0;
    if (!::WriteFile(file, text.data(),
                     static_cast<DWORD>(std::min(text.size(), kMost)), &written,
                     nullptr)) {
      return false;
    }
    text.remove_prefix(written);
  }
  return FlushFileBuffers(file) != 0;
}

}  // namespace

Status WriteFile(const std::string& path, std::string_view text) {
  const std::wstring name = PathFromUtf8(path).wstring();
  const std::wstring fresh = name + L".new";
  std::optional<Error> fault;
  {
    const UniqueFileHandle file(CreateFileW(
        fresh.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE,
        nullptr, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!file) return SystemError(GetLastError());
    if (!WriteAll(file.get(), text)) fault = SystemError(GetLastError());
  }
  if (!fault &&
      !MoveFileExW(fresh.c_str(), name.c_str(),
                   MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
    fault = SystemError(GetLastError());
  }
  if (!fault) return std::monostate{};
  DeleteFileW(fresh.c_str());
  return *std::move(fault);
}

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  // The name may be that of a device (CON, COM1) or a pipe, whose server must
  // not act in our name.
  constexpr DWORD kFlags =
      FILE_ATTRIBUTE_NORMAL | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS;
  const UniqueFileHandle file(CreateFileW(PathFromUtf8(path).wstring().c_str(),
                                          GENERIC_READ, kShareAll, nullptr,
                                          OPEN_EXISTING, kFlags, nullptr));
  if (!file) return SystemError(GetLastError());
  // Reading anything else may wait forever.
  if (GetFileType(file.get()) != FILE_TYPE_DISK) return NotARegularFile();
  LARGE_INTEGER size;
  if (!GetFileSizeEx(file.get(), &size)) return SystemError(GetLastError());
  if (static_cast<std::uint64_t>(size.QuadPart) > max_bytes) {
    return TooLargeFile(max_bytes);
  }
  std::string text;
  std::array<char, 16384> piece;
  for (;;) {
    DWORD received = 0;
    if (!::ReadFile(file.get(), piece.data(), static_cast<DWORD>(piece.size()),
                    &received, nullptr)) {
      return SystemError(GetLastError());
    }
    if (received == 0) return text;
    text.append(piece.data(), received);
    if (text.size() > max_bytes) return TooLargeFile(max_bytes);
  }
}

// A shell of Windows passes no pipe by its name.
Result<std::string> ReadFileOrPipe(const std::string& path,
                                   std::size_t max_bytes) {
  return ReadFile(path, max_bytes);
}

}  // namespace echo_exporter
