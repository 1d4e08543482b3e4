#include "src/base/byte_size.h"

#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

#include "src/base/host_name.h"

namespace echo_exporter {
namespace {

/// "" is 1, "k", "KB" and "KiB" are 1024, and so on up to "T".
std::optional<std::uint64_t> ParseUnit(std::string_view text) {
  const std::string unit = LowerCase(std::string(text));
  if (unit.empty() || unit == "b") return 1;
  const std::size_t power = std::string_view("kmgt").find(unit.front());
  const std::string rest = unit.substr(1);
  const bool has_ending =
      rest.empty() || rest == "b" || rest == "i" || rest == "ib";
  if (power == std::string_view::npos || !has_ending) return std::nullopt;
  return std::uint64_t{1} << (10 * (power + 1));
}

}  // namespace

std::optional<std::uint64_t> ParseByteSize(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const auto unit = ParseUnit({stop, end});
  if (!unit || number > std::numeric_limits<std::uint64_t>::max() / *unit) {
    return std::nullopt;
  }
  return number * *unit;
}

std::string FormatByteSize(std::uint64_t bytes) {
  std::string unit;
  for (const char* const larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (bytes == 0 || bytes % 1024 != 0) break;
    bytes /= 1024;
    unit = larger;
  }
  return std::to_string(bytes) + unit;
}

}  // namespace echo_exporter
