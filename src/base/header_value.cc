#include "src/base/header_value.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace echo_exporter {
namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Removes the part before `end`, and the separator there, from `text`.
std::string_view Take(std::size_t end, std::string_view* text) {
  const std::string_view taken = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return Trim(taken);
}

}  // namespace

std::string_view TakeUntil(char separator, std::string_view* text) {
  return Take(std::min(text->find(separator), text->size()), text);
}

std::string_view TakeElement(char separator, std::string_view* text) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text->size(); ++end) {
    const char c = (*text)[end];
    if (c == separator && !quoted) break;
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted && end + 1 < text->size()) ++end;
  }
  return Take(end, text);
}

std::vector<std::string_view> ValuesOf(
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoringCase(key, name)) values.push_back(value);
  }
  return values;
}

std::string ListOf(
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view name) {
  std::string list;
  for (const std::string_view value : ValuesOf(headers, name)) {
    if (!list.empty()) list += ", ";
    list += value;
  }
  return list;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

bool ListHasToken(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (EqualsIgnoringCase(TakeUntil(',', &list), token)) return true;
  }
  return false;
}

}  // namespace echo_exporter
