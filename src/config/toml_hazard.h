#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace echo_exporter {

/// A place in a text that must not be passed to the TOML parser.
struct TomlHazard {
  std::uint32_t line = 0;    ///< from 1
  std::uint32_t column = 0;  ///< from 1, in characters
  std::string_view sentence;
};

/// Finds the first of:
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
std::optional<TomlHazard> FindTomlHazard(std::string_view text);

}  // namespace echo_exporter
