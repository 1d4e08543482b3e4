#pragma once

#include <cstdint>
#include <string>

namespace echo_exporter {

/// Appends a number, small ones in few bytes: 7 bits in each, the lowest first,
/// as in protobuf (https://protobuf.dev/programming-guides/encoding/).
inline void AppendVarint(std::uint64_t number, std::string* bytes) {
  for (; number >= 0x80; number >>= 7) {
    bytes->push_back(static_cast<char>(number | 0x80));
  }
  bytes->push_back(static_cast<char>(number));
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
