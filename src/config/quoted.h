#pragma once

#include <string>
#include <string_view>

namespace echo_exporter {

/// `text` with its ASCII control characters as "\u00XX": one line.
std::string EscapeControls(std::string_view text);

/// `text` as a TOML basic string.
std::string Quoted(std::string_view text);

/// The same for messages, shortened when it is long.
std::string Excerpt(std::string_view text);

}  // namespace echo_exporter
