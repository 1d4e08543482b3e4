#include "echo_exporter/clock.h"

#include "src/base/suspended_time.h"

namespace echo_exporter {
namespace {

class SystemClock final : public Clock {
 public:
  SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
  WallTime WallNow() const override { return std::chrono::system_clock::now(); }
  Nanoseconds SuspendedTime() const override {
    return echo_exporter::SuspendedTime();
  }
};

}  // namespace

// The process may be stopped between two readings, which must not look like a
// suspension, so a reading that took long is repeated.
Nanoseconds SuspendedTime() {
  constexpr Nanoseconds kTogether = std::chrono::milliseconds(50);
  for (;;) {
    const SteadyTime before = std::chrono::steady_clock::now();
    const Nanoseconds suspended = SuspendedTimeAt(before);
    if (std::chrono::steady_clock::now() - before < kTogether) return suspended;
  }
}

const Clock& Clock::System() {
  // Never destroyed: threads may read it while the process exits.
  static const Clock& clock = *new SystemClock;
  return clock;
}

}  // namespace echo_exporter
