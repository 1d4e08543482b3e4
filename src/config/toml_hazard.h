#ifndef ECHO_EXPORTER_SRC_CONFIG_TOML_HAZARD_H_
#define ECHO_EXPORTER_SRC_CONFIG_TOML_HAZARD_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace echo_exporter {

/// A place in a text that the TOML parser must not be given.
struct TomlHazard {
  std::uint32_t line = 0;    ///< from 1
  std::uint32_t column = 0;  ///< from 1, in characters
  std::string_view sentence;
};

/// Finds the first of:
/// - a character outside of ASCII where TOML allows none, which is undefined
///   behaviour in toml++ up to 3.4.0 (marzer/tomlplusplus issue 190, mended in
///   part only, and 295, mended by pull request 305 of July 2026);
/// - a dotted key of so many parts that destroying the tables it stands for
///   could exhaust the stack (mended by pull request 242 of November 2024).
///
/// Knows strings and comments, and leaves all other errors to the parser. What
/// issue 294 is about, "[&" and the like, is kept harmless where the parser is
/// included, in toml_document.cc.
///
/// All of this may be deleted when the oldest toml++ that we are built with,
/// which is Debian's, has both pull requests: a release after 3.4.0.
std::optional<TomlHazard> FindTomlHazard(std::string_view text);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_CONFIG_TOML_HAZARD_H_
