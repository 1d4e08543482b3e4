#pragma once

#include <atomic>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// A clock that stands still until the test moves it on.
///
/// Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(SteadyTime now) : now_(now) {}

  SteadyTime Now() const override { return now_; }
  WallTime WallNow() const override { return wall_; }

  void SetWall(WallTime wall) { wall_ = wall; }
  void Advance(Nanoseconds duration) { now_ = now_.load() + duration; }

 private:
  std::atomic<SteadyTime> now_;
  std::atomic<WallTime> wall_{WallTime()};
};

}  // namespace echo_exporter
