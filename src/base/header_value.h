#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace echo_exporter {

/// The elements of HTTP header values (RFC 9110 section 5.6). Pure.

/// Removes the part before the first `separator`, and the separator, from
/// `text`; returns that part without surrounding spaces.
std::string_view TakeUntil(char separator, std::string_view* text);

/// The same where a quoted string may hold separators (section 5.6.4).
std::string_view TakeElement(char separator, std::string_view* text);

/// The values of all headers with a name, in any case.
std::vector<std::string_view> ValuesOf(
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view name);

/// The same as one comma-separated list (RFC 9110 section 5.3); empty when
/// there are none.
std::string ListOf(
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view name);

/// Compares names and tokens of headers.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

/// Whether a comma-separated list such as "close, TE" contains `token`.
bool ListHasToken(std::string_view list, std::string_view token);

}  // namespace echo_exporter
