#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace echo_exporter {

/// The head of a request, as sent: nothing is decoded.
struct RequestHead {
  std::string method;
  /// Of "http://host/path?query" only "/path?query".
  std::string target;
  bool is_http10 = false;
  /// Names and values, in the order sent.
  std::vector<std::pair<std::string, std::string>> headers;

  /// Whether a comma-separated list has `token`, over all headers with the
  /// name.
  bool HasToken(std::string_view name, std::string_view token) const;
  /// Whether a body follows.
  bool HasBody() const;
};

/// Whether `text` ends with the empty line that ends a head. Lines are taken to
/// end with a line feed.
bool EndsHead(std::string_view text);

/// Parses a whole head, including its last, empty line. Absent when it is not
/// valid HTTP/1.0 or 1.1 (RFC 9112), or when programs could disagree about what
/// it means: about the length of the body or the host. The method may be any.
/// Pure.
std::optional<RequestHead> ParseRequestHead(std::string_view text);

}  // namespace echo_exporter
