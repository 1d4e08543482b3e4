#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// A round-trip time as a number on a logarithmic scale: 1 .. 1022 from 1 us to
/// 67 s, each 1.8 % above the one before; 0 stands for none.
using RttCode = std::uint16_t;
inline constexpr RttCode kMostRttCode = 1022;

RttCode RttCodeOf(Nanoseconds rtt);
/// The middle of what the code stands for, in seconds: within 0.9 %.
std::optional<double> SecondsOf(RttCode code);

/// How often each RTT was seen, by code. Where more than kMost different ones
/// are seen, neighbours become one, so that it has a bounded size.
///
/// Not thread-safe: the owner locks.
class RttSketch {
 public:
  static constexpr std::size_t kMost = 64;

  /// Throws std::bad_alloc, and has changed nothing then.
  void Add(RttCode code, std::uint32_t count = 1);
  /// All of another one. Throws std::bad_alloc, and has some of them then.
  void Add(const RttSketch& other) {
    for (const Seen& seen : other.seen_) Add(other.MiddleOf(seen), seen.count);
  }
  void Clear();

  /// The code that a share of `quantile`, 0 .. 1, of the RTTs does not exceed;
  /// 0 when empty.
  RttCode Quantile(double quantile) const { return Quantile({this}, quantile); }
  std::uint64_t count() const;
  /// Of its values, with what the allocator adds, about.
  std::size_t bytes() const {
    constexpr std::size_t kAllocation = 2 * sizeof(void*);
    return seen_.capacity() == 0
               ? 0
               : seen_.capacity() * sizeof(Seen) + kAllocation;
  }

  /// That of all of them together.
  static RttCode Quantile(std::initializer_list<const RttSketch*> sketches,
                          double quantile);

  /// What Quantile() takes at once at most.
  static constexpr std::size_t kMostTogether = 3;

 private:
  struct Seen {
    RttCode code;         ///< the first one of 2^shift_
    std::uint16_t count;  ///< or more
  };

  RttCode FirstOf(RttCode code) const {
    return static_cast<RttCode>(code >> shift_ << shift_);
  }
  RttCode MiddleOf(const Seen& seen) const;
  void Halve();

  std::vector<Seen> seen_;  ///< by ascending code
  std::uint8_t shift_ = 0;
};

}  // namespace echo_exporter
