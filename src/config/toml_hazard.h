#pragma once

#include <optional>
#include <string_view>

#include "src/config/findings.h"

namespace echo_exporter {

/// Finds the first place of a text that must not be passed to the TOML parser:
/// - a character outside of ASCII where TOML allows none, which is undefined
///   behaviour in toml++ up to 3.4.0 (marzer/tomlplusplus issue 190, fixed in
///   part only, and 295, fixed by pull request 305 of July 2026);
/// - a dotted key of so many parts that destroying its tables could exhaust the
///   stack (fixed by pull request 242 of November 2024).
///
/// Knows strings and comments, and leaves all other errors to the parser.
/// toml_document.cc, which includes the parser, makes the input of issue 294
/// ("[&" and the like) harmless.
///
/// All of this may be deleted when the oldest supported toml++, which is
/// Debian's, contains both pull requests: a release after 3.4.0.
std::optional<Finding> FindTomlHazard(std::string_view text);

}  // namespace echo_exporter
