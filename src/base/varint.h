#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace echo_exporter {

/// Appends a number, small ones in few bytes: 7 bits in each, the lowest first,
/// as in protobuf (https://protobuf.dev/programming-guides/encoding/).
inline void AppendVarint(std::uint64_t number, std::string* bytes) {
  // One call for all of them takes half the time of one for each.
  std::array<char, 10> encoded;
  std::size_t size = 0;
  for (; number >= 0x80; number >>= 7) {
    encoded[size++] = static_cast<char>(number | 0x80);
  }
  encoded[size++] = static_cast<char>(number);
  bytes->append(encoded.data(), size);
}

/// The bytes that it appends.
constexpr std::size_t VarintSize(std::uint64_t number) {
  return static_cast<std::size_t>(std::bit_width(number | 1) + 6) / 7;
}

/// The same of signed numbers: small ones are short, negative ones, too.
inline void AppendZigzag(std::int64_t number, std::string* bytes) {
  AppendVarint(static_cast<std::uint64_t>(number) << 1 ^
                   static_cast<std::uint64_t>(number >> 63),
               bytes);
}

/// Reads what these have written, and nothing else: it does not check.
class VarintReader {
 public:
  explicit VarintReader(const char* begin) : next_(begin) {}

  std::uint64_t Read() {
    std::uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(*next_++);
      number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
  }
  std::int64_t ReadZigzag() {
    const std::uint64_t number = Read();
    return static_cast<std::int64_t>(number >> 1) ^
           -static_cast<std::int64_t>(number & 1);
  }
  const char* next() const { return next_; }
  void SkipBytes(std::uint64_t bytes) { next_ += bytes; }
  void SkipNumbers(int numbers) {
    while (numbers > 0) {
      if (static_cast<unsigned char>(*next_++) < 0x80) --numbers;
    }
  }

 private:
  const char* next_;
};

}  // namespace echo_exporter
