#ifndef ECHO_EXPORTER_SRC_HTTP_HEADER_VALUE_H_
#define ECHO_EXPORTER_SRC_HTTP_HEADER_VALUE_H_

#include <string_view>

namespace echo_exporter {

/// What the values of HTTP headers are made of (RFC 9110 section 5.6). Pure.

/// Takes what stands before the first `separator` from `text`, without the
/// separator; what is returned has no space around it.
std::string_view TakeUntil(char separator, std::string_view* text);

/// As names and tokens of headers are compared.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

/// Whether a comma-separated list such as "close, TE" has `token`.
bool ListHasToken(std::string_view list, std::string_view token);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_HEADER_VALUE_H_
