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

const Clock& Clock::System() {
  // Never destroyed: threads may read it while the process exits.
  static const Clock& clock = *new SystemClock;
  return clock;
}

}  // namespace echo_exporter
