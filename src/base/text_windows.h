#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace echo_exporter {

/// UTF-8 to UTF-16; bytes that are not UTF-8 become U+FFFD.
std::wstring ToWide(std::string_view text);

/// UTF-8 to UTF-16; absent when `text` is not UTF-8.
std::optional<std::wstring> ToValidWide(std::string_view text);

/// UTF-16 to UTF-8.
std::string ToUtf8(std::wstring_view wide);

/// The system's text for an error `code`, followed by the code, as in "Access
/// is denied. (5)".
std::string SystemErrorText(unsigned long code);

}  // namespace echo_exporter
