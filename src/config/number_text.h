#pragma once

#include <array>
#include <charconv>
#include <string>

namespace echo_exporter {

/// The shortest text that is read back as `number`.
inline std::string NumberText(double number) {
  std::array<char, 32> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return std::string(digits.data(), end.ptr);
}

}  // namespace echo_exporter
