#include <windows.h>

#include <chrono>
#include <cstdint>

#include "src/base/suspended_time.h"

// Implementation notes
//
// The performance counter counts suspended time, the unbiased interrupt time
// does not (QueryUnbiasedInterruptTime). The latter advances with the clock
// interrupt, by 15.6 ms at most. QueryInterruptTime, which counts suspended
// time too, exists only since Windows 10. The process may be stopped between
// two readings, which must not look like a suspension, so a reading that took
// long is repeated.

namespace echo_exporter {
namespace {

constexpr Nanoseconds kTogether = std::chrono::milliseconds(50);

Nanoseconds ReadCounter() {
  static const std::int64_t ticks_per_second = [] {
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    return frequency.QuadPart;
  }();
  LARGE_INTEGER counter;
  QueryPerformanceCounter(&counter);
  const std::int64_t ticks = counter.QuadPart;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return Nanoseconds(ticks / ticks_per_second * kNanoseconds +
                     ticks % ticks_per_second * kNanoseconds /
                         ticks_per_second);
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
