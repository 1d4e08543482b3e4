#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Checks the text of one option. Returns the error ("must be ..., not ..."),
/// or an empty text when it is valid; then the option's text may have been
/// replaced by its canonical form.
using OptionCheck = std::function<std::string(std::string&)>;

/// A duration such as "200ms" or a plain number of seconds such as "0.2".
std::optional<Nanoseconds> ParseTime(std::string_view text);

/// A text for ParseDuration(), from `least` to `most`.
OptionCheck IsDuration(Nanoseconds least, Nanoseconds most);
/// A text for ParseTime(), from `least` to `most`.
OptionCheck IsTime(Nanoseconds least, Nanoseconds most);
/// Decimal digits; the canonical form has no leading zeros, which would make
/// other parsers read an octal number.
OptionCheck IsWholeNumber(std::uint64_t least, std::uint64_t most);
/// A size of 1 KiB to 1 TiB: bytes, or a number with a unit (k, M, G or T,
/// optionally followed by "B" or "iB", ignoring case); each unit is 1024 times
/// the one before. The canonical form is bytes.
OptionCheck IsFileSize();
OptionCheck IsOneOf(std::vector<std::string> words);
/// A text for ParseListenAddress().
OptionCheck IsListenAddress();
/// A URL of HTTP or HTTPS with a host and possibly a path, or such a path
/// alone. The canonical form has no slash at its end.
OptionCheck IsExternalUrl();
/// A path. The canonical form is empty for "/", and else begins with a slash
/// and does not end with one.
OptionCheck IsRoutePrefix();

/// The path of a text that IsExternalUrl() has accepted.
std::string PathOfUrl(const std::string& url);

}  // namespace echo_exporter
