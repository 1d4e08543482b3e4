#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Parses a duration in Prometheus's format: one or more of "<digits><unit>"
/// with the units d, h, m, s, ms, each at most once and from large to small,
/// as in "250ms" or "1h30m", without sign, fraction, space or bare number.
/// Absent for anything else or beyond 292 years.
std::optional<Nanoseconds> ParseDuration(std::string_view text);

/// Parses a plain decimal number of seconds such as "1", "0.2" or ".5", with at
/// most nine digits after the point. Absent for anything else (a sign, an
/// exponent, a unit) or beyond 292 years.
std::optional<Nanoseconds> ParseSeconds(std::string_view text);

/// The shortest text that ParseDuration() parses as `duration`, which must be
/// whole milliseconds and not negative; zero is "0s".
std::string FormatDuration(Nanoseconds duration);

/// Seconds as a floating-point number, for metrics.
double ToSeconds(Nanoseconds duration);

}  // namespace echo_exporter
