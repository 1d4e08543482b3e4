#include "src/base/duration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace echo_exporter {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array<Unit, 5> kUnits = {{{"d", 86'400'000},
                                         {"h", 3'600'000},
                                         {"m", 60'000},
                                         {"s", 1'000},
                                         {"ms", 1}}};

constexpr std::int64_t kMaxMilliseconds =
    std::chrono::duration_cast<std::chrono::milliseconds>(Nanoseconds::max())
        .count();

}  // namespace

std::optional<Nanoseconds> ParseDuration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t first_allowed_unit = 0;
  while (!text.empty()) {
    // from_chars() accepts a sign, durations have none.
    if (text.front() == '-') return std::nullopt;
    std::int64_t number = 0;
    const auto [stop, error] =
        std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));

    const std::size_t name_size =
        std::min(text.find_first_of("0123456789"), text.size());
    std::size_t unit = first_allowed_unit;
    while (unit < kUnits.size() &&
           kUnits[unit].name != text.substr(0, name_size)) {
      ++unit;
    }
    if (unit == kUnits.size()) return std::nullopt;
    text.remove_prefix(name_size);
    first_allowed_unit = unit + 1;

    if (number > (kMaxMilliseconds - total) / kUnits[unit].milliseconds) {
      return std::nullopt;
    }
    total += number * kUnits[unit].milliseconds;
  }
  return std::chrono::milliseconds(total);
}

std::optional<Nanoseconds> ParseSeconds(std::string_view text) {
  constexpr std::size_t kFractionDigits = 9;
  const std::size_t point = std::min(text.find('.'), text.size());
  // Both parts as one whole number of nanoseconds: 1.5 is 1 and 500000000.
  std::string digits(text.substr(0, point));
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  if (digits.empty() && fraction.empty()) return std::nullopt;
  if (fraction.size() > kFractionDigits) return std::nullopt;
  fraction.resize(kFractionDigits, '0');
  digits += fraction;
  if (digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  std::int64_t nanoseconds = 0;
  const auto [stop, error] = std::from_chars(
      digits.data(), digits.data() + digits.size(), nanoseconds);
  if (error != std::errc()) return std::nullopt;
  return Nanoseconds(nanoseconds);
}

std::string FormatDuration(Nanoseconds duration) {
  const std::int64_t total =
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (total == 0) return "0s";
  // "90s" is shorter than "1m30s", but "1d1s" is shorter than "86401s": every
  // choice of units is tried.
  std::string shortest;
  for (unsigned choice = 1; choice < 1U << kUnits.size(); ++choice) {
    std::string text;
    std::int64_t rest = total;
    for (std::size_t i = 0; i < kUnits.size(); ++i) {
      const std::int64_t number = rest / kUnits[i].milliseconds;
      if ((choice >> i & 1U) == 0 || number == 0) continue;
      text += std::to_string(number);
      text += kUnits[i].name;
      rest %= kUnits[i].milliseconds;
    }
    if (rest == 0 && (shortest.empty() || text.size() < shortest.size())) {
      shortest = text;
    }
  }
  return shortest;
}

double ToSeconds(Nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace echo_exporter
