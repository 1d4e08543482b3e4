#ifndef ECHO_EXPORTER_SRC_BASE_EVENT_LIMIT_H_
#define ECHO_EXPORTER_SRC_BASE_EVENT_LIMIT_H_

#include <chrono>
#include <cstdint>
#include <utility>

#include "src/base/log.h"
#include "src/base/token_bucket.h"

namespace echo_exporter {

/// Decides which log lines go to a log of the system that all programs share
/// and that keeps only so much: warnings and errors, one a second, and 20 at
/// once, so that all errors of a small configuration are in it.
///
/// Confined to one thread at a time.
class EventLimit {
 public:
  /// Whether a line of this level is written; counts the warnings and errors
  /// that are not. Requires a `now` that never decreases.
  bool Allows(LogLevel level, SteadyTime now) {
    if (level < LogLevel::kWarn) return false;
    if (bucket_.Take(now) == Nanoseconds::zero()) return true;
    ++left_out_;
    return false;
  }

  /// How many were left out since the last call.
  std::uint64_t TakeLeftOut() { return std::exchange(left_out_, 0); }

 private:
  TokenBucket bucket_{std::chrono::seconds(1), /*burst=*/20};
  std::uint64_t left_out_ = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_EVENT_LIMIT_H_
