#pragma once

#include <string>
#include <string_view>

namespace echo_exporter {

/// `text` as a JSON string (RFC 8259) of one line that is safe to print on a
/// terminal: IsInvisible() characters are escaped, bytes that are not UTF-8
/// become U+FFFD.
std::string JsonQuote(std::string_view text);

}  // namespace echo_exporter
