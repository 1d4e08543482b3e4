#include "src/base/host_name.h"

#include <algorithm>
#include <cstddef>

namespace echo_exporter {
namespace {

constexpr std::size_t kMaxNameSize = 253;
constexpr std::size_t kMaxLabelSize = 63;

// Not <cctype>, whose results depend on the locale.
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsLabelCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         c == '-' || c == '_';
}

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelSize &&
         label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), IsLabelCharacter);
}

bool IsNumber(std::string_view label) {
  if (label.starts_with("0x") || label.starts_with("0X")) {
    return std::all_of(label.begin() + 2, label.end(), IsHexDigit);
  }
  return std::all_of(label.begin(), label.end(), IsDigit);
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  });
}

}  // namespace

bool IsHostName(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > kMaxNameSize) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (!IsLabel(label)) return false;
    if (dot == std::string_view::npos) return !IsNumber(label);
    text.remove_prefix(dot + 1);
  }
}

std::optional<std::string> AsciiHostName(std::string_view text) {
  std::optional<std::string> name(text);
  if (!IsAscii(text)) name = ToIdnaAscii(*name);
  return name && IsHostName(*name) ? name : std::nullopt;
}

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace echo_exporter
