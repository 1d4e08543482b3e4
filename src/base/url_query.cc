#include "src/base/url_query.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

namespace echo_exporter {
namespace {

std::optional<char> ParseHexByte(std::string_view digits) {
  unsigned int value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, value, 16);
  if (digits.size() != 2 || error != std::errc() || parsed != end) {
    return std::nullopt;
  }
  return static_cast<char>(value);
}

/// Absent when a % is not followed by two hexadecimal digits.
std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = ParseHexByte(text.substr(i + 1, 2));
      if (!byte) return std::nullopt;
      decoded += *byte;
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> ParseUrlQuery(
    std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view text = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(text.size() + 1, query.size()));
    if (text.empty()) continue;
    const std::size_t equals = std::min(text.find('='), text.size());
    auto name = Decode(text.substr(0, equals));
    auto value = Decode(text.substr(std::min(equals + 1, text.size())));
    if (!name || !value) {
      return Error{ErrorCode::kInvalidArgument,
                   "The query is not correctly encoded: % must be followed by "
                   "two hexadecimal digits"};
    }
    parameters.emplace_back(*std::move(name), *std::move(value));
  }
  return parameters;
}

std::string QuotedForClient(std::string_view text) {
  constexpr std::size_t kMaxBytes = 64;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxBytes)) {
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  return quoted + (text.size() > kMaxBytes ? "...\"" : "\"");
}

}  // namespace echo_exporter
