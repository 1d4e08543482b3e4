#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace echo_exporter {

/// Parses a whole number of bytes with or without a unit, which is 1024 or a
/// power of it: "100MiB", "100mb", "100M" and "104857600" are the same. Up to
/// "TiB". Absent for anything else or beyond 64 bits.
std::optional<std::uint64_t> ParseByteSize(std::string_view text);

/// The shortest text that ParseByteSize() parses as `bytes`, as in "64MiB".
std::string FormatByteSize(std::uint64_t bytes);

}  // namespace echo_exporter
