#include "src/http/request_head.h"

#include <algorithm>

#include "src/base/header_value.h"

namespace echo_exporter {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z');
}

/// Whether `text` is not empty and has only letters, digits and `others`.
bool HasOnly(std::string_view text, std::string_view others) {
  return !text.empty() && std::ranges::all_of(text, [others](char c) {
    return IsLetterOrDigit(c) || others.find(c) != std::string_view::npos;
  });
}

/// A token of RFC 9110 section 5.6.2, such as the name of a header.
bool IsToken(std::string_view text) { return HasOnly(text, "!#$%&'*+-.^_`|~"); }

/// A value may have any other byte, including those of UTF-8.
bool IsControl(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

/// Removes the first line from `text`; absent when none ends with CR LF.
std::optional<std::string_view> TakeLine(std::string_view* text) {
  const std::size_t end = text->find(kLineEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end + kLineEnd.size());
  return line;
}

/// The path and query of a target; absent for one of another form than a server
/// is asked with.
std::optional<std::string> PathOf(std::string_view target) {
  if (std::ranges::any_of(target,
                          [](char c) { return c == ' ' || IsControl(c); })) {
    return std::nullopt;
  }
  if (target.starts_with('/') || target == "*") return std::string(target);
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos ||
      !ListHasToken("http,https", target.substr(0, scheme))) {
    return std::nullopt;
  }
  target.remove_prefix(scheme + 3);
  const std::size_t host = std::min(target.find_first_of("/?"), target.size());
  if (host == 0) return std::nullopt;
  target.remove_prefix(host);
  return (target.starts_with('/') ? "" : "/") + std::string(target);
}

bool ParseRequestLine(std::string_view line, RequestHead* head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const std::string_view version = line.substr(last + 1);
  const auto path = PathOf(line.substr(first + 1, last - first - 1));
  if (!path || !IsToken(line.substr(0, first)) ||
      (version != "HTTP/1.1" && version != "HTTP/1.0")) {
    return false;
  }
  head->method = line.substr(0, first);
  head->target = *path;
  head->is_http10 = version == "HTTP/1.0";
  return true;
}

bool ParseHeader(std::string_view line, RequestHead* head) {
  const std::size_t colon = line.find(':');
  // Neither a space before the colon nor a line that continues another.
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return false;
  }
  std::string_view value = line.substr(colon + 1);
  if (std::ranges::any_of(value,
                          [](char c) { return c != '\t' && IsControl(c); })) {
    return false;
  }
  value = TakeUntil('\n', &value);  // has none: removes surrounding spaces
  head->headers.emplace_back(line.substr(0, colon), value);
  return true;
}

/// Exactly one host (RFC 9112 section 3.2), unless HTTP/1.0 is spoken.
bool HasClearHost(const RequestHead& head) {
  const auto hosts = ValuesOf(head.headers, "Host");
  if (hosts.empty()) return head.is_http10;
  return hosts.size() == 1 && (hosts.front().empty() ||
                               HasOnly(hosts.front(), "-._~!$&'()*+,;=:%[]"));
}

/// Whether the length of the body is stated in one way or not at all (RFC 9112
/// section 6.3).
bool HasClearLength(const RequestHead& head) {
  const auto lengths = ValuesOf(head.headers, "Content-Length");
  if (lengths.empty()) return true;
  return lengths.size() == 1 && !lengths.front().empty() &&
         ValuesOf(head.headers, "Transfer-Encoding").empty() &&
         lengths.front().find_first_not_of("0123456789") ==
             std::string_view::npos;
}

}  // namespace

bool RequestHead::HasToken(std::string_view name,
                           std::string_view token) const {
  return std::ranges::any_of(
      ValuesOf(headers, name),
      [token](std::string_view list) { return ListHasToken(list, token); });
}

bool RequestHead::HasBody() const {
  const auto lengths = ValuesOf(headers, "Content-Length");
  return !ValuesOf(headers, "Transfer-Encoding").empty() ||
         (!lengths.empty() && lengths.front() != "0");
}

bool EndsHead(std::string_view text) {
  return text == "\n" || text == kLineEnd || text.ends_with("\n\n") ||
         text.ends_with("\n\r\n");
}

std::optional<RequestHead> ParseRequestHead(std::string_view text) {
  RequestHead head;
  const auto first = TakeLine(&text);
  if (!first || !ParseRequestLine(*first, &head)) return std::nullopt;
  for (;;) {
    const auto line = TakeLine(&text);
    if (!line) return std::nullopt;
    if (line->empty()) break;
    if (!ParseHeader(*line, &head)) return std::nullopt;
  }
  if (!text.empty() || !HasClearHost(head) || !HasClearLength(head)) {
    return std::nullopt;
  }
  return head;
}

}  // namespace echo_exporter
