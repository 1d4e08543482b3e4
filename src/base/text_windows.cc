#include <windows.h>

#include "src/base/text_windows.h"

#include <array>
#include <cstddef>

namespace echo_exporter {

namespace {

/// Empty, too, when the system does not convert it.
std::wstring Convert(std::string_view text, DWORD flags) {
  const int size = static_cast<int>(text.size());
  std::wstring wide(text.size(), L'\0');  // never more units than bytes
  const int length = size == 0
                         ? 0
                         : MultiByteToWideChar(CP_UTF8, flags, text.data(),
                                               size, wide.data(), size);
  wide.resize(static_cast<std::size_t>(length));
  return wide;
}

}  // namespace

std::wstring ToWide(std::string_view text) { return Convert(text, 0); }

std::optional<std::wstring> ToValidWide(std::string_view text) {
  std::wstring wide = Convert(text, MB_ERR_INVALID_CHARS);
  if (wide.empty() && !text.empty()) return std::nullopt;
  return wide;
}

std::string ToUtf8(std::wstring_view wide) {
  const int size = static_cast<int>(wide.size());
  if (size == 0) return {};
  std::string text(3 * wide.size(), '\0');  // at most three bytes per unit
  const int length =
      WideCharToMultiByte(CP_UTF8, 0, wide.data(), size, text.data(),
                          static_cast<int>(text.size()), nullptr, nullptr);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string SystemErrorText(unsigned long code) {
  std::array<wchar_t, 512> buffer;
  const DWORD length = FormatMessageW(
      FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, code,
      0, buffer.data(), static_cast<DWORD>(buffer.size()), nullptr);
  std::string text = ToUtf8({buffer.data(), length});
  text.erase(text.find_last_not_of(" \r\n") + 1);
  if (text.empty()) text = "unknown error";
  return text + " (" + std::to_string(code) + ")";
}

}  // namespace echo_exporter
