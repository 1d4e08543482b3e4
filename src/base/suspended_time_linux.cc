#include <time.h>

#include <chrono>

#include "src/base/suspended_time.h"

// Implementation notes
//
// CLOCK_BOOTTIME counts suspended time, CLOCK_MONOTONIC does not
// (clock_gettime(2)). The process may be stopped between two readings, which
// must not look like a suspension, so a reading that took long is repeated.

namespace echo_exporter {
namespace {

constexpr Nanoseconds kTogether = std::chrono::milliseconds(50);

Nanoseconds Read(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

}  // namespace

Nanoseconds SuspendedTime() {
  for (;;) {
    const Nanoseconds before = Read(CLOCK_MONOTONIC);
    const Nanoseconds boot_time = Read(CLOCK_BOOTTIME);
    if (Read(CLOCK_MONOTONIC) - before < kTogether) return boot_time - before;
  }
}

}  // namespace echo_exporter
