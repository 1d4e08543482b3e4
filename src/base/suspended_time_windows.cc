#include <windows.h>

#include <chrono>
#include <cstdint>

#include "src/base/suspended_time.h"

// Implementation notes
//
// The performance counter, which std::chrono::steady_clock reads, counts
// suspended time, the unbiased interrupt time does not
// (QueryUnbiasedInterruptTime). The latter advances with the clock
// interrupt, by 15.6 ms at most. QueryInterruptTime, which counts suspended
// time too, exists only since Windows 10. The process may be stopped between
// two readings, which must not look like a suspension, so a reading that took
// long is repeated.

namespace echo_exporter {
namespace {

constexpr Nanoseconds kTogether = std::chrono::milliseconds(50);

Nanoseconds ReadCounter() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

Nanoseconds ReadUnbiasedTime() {
  ULONGLONG hundreds = 0;  // of nanoseconds
  QueryUnbiasedInterruptTime(&hundreds);
  return Nanoseconds(static_cast<std::int64_t>(hundreds) * 100);
}

}  // namespace

Nanoseconds SuspendedTime() {
  for (;;) {
    const Nanoseconds before = ReadCounter();
    const Nanoseconds unbiased = ReadUnbiasedTime();
    if (ReadCounter() - before < kTogether) return before - unbiased;
  }
}

}  // namespace echo_exporter
