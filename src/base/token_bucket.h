#pragma once

#include <cstdint>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Limits the rate of an action: `burst` times at once, and once per interval
/// in the long run. Initially full.
///
/// Confined to one thread at a time.
class TokenBucket {
 public:
  /// `interval` is at least 1 ns, `burst` at least 1, and their product below
  /// 292 years.
  TokenBucket(Nanoseconds interval, std::uint32_t burst)
      : interval_(interval), capacity_(interval * burst) {}

  /// Takes a token and returns zero when the action is allowed now; else the
  /// time until it is allowed. Requires a `now` that never decreases.
  Nanoseconds Take(SteadyTime now) {
    // Instead of tokens, the time when the bucket will be full again is kept.
    if (full_at_ < now) full_at_ = now;
    const Nanoseconds wait = full_at_ + interval_ - capacity_ - now;
    if (wait > Nanoseconds::zero()) return wait;
    full_at_ += interval_;
    return Nanoseconds::zero();
  }

 private:
  const Nanoseconds interval_;
  const Nanoseconds capacity_;
  SteadyTime full_at_{};
};

}  // namespace echo_exporter
