#ifndef ECHO_EXPORTER_SRC_BASE_TOKEN_BUCKET_H_
#define ECHO_EXPORTER_SRC_BASE_TOKEN_BUCKET_H_

#include <cstdint>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Limits how often something may happen: `burst` times at once, and once an
/// interval in the long run. Full at first.
///
/// Confined to one thread at a time.
class TokenBucket {
 public:
  /// `interval` is at least 1 ns, `burst` at least 1, and their product below
  /// 292 years.
  TokenBucket(Nanoseconds interval, std::uint32_t burst)
      : interval_(interval), capacity_(interval * burst) {}

  /// Zero, and it counts, when it may happen now; else how long until it may.
  /// Requires a `now` that never goes back.
  Nanoseconds Take(SteadyTime now) {
    // Instead of tokens: when the bucket would be full again.
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

#endif  // ECHO_EXPORTER_SRC_BASE_TOKEN_BUCKET_H_
