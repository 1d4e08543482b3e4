#include "src/transport/kernel_time_linux.h"

#include <chrono>

namespace echo_exporter {
namespace {

// A pair of readings further apart than this was interrupted in between, and is
// repeated; after some retries it is accepted.
constexpr Nanoseconds kCloseTogether = std::chrono::microseconds(2);
constexpr int kTries = 5;

// How much the clocks may drift apart while the wall clock is slewed: twice the
// 500 parts per million of adjtimex(2), and the error of reading.
constexpr Nanoseconds kReadingError = std::chrono::microseconds(200);
constexpr int kSlewDivisor = 1000;

// Stamps a little later than now() are of packets that arrived after Refresh().
// Older ones are of packets that were left in their queue at the reading
// before, but not for long; this process may have been stopped since.
constexpr Nanoseconds kOldest = std::chrono::seconds(120);
constexpr Nanoseconds kYoungest = std::chrono::seconds(1);

Nanoseconds ToNanoseconds(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

}  // namespace

void KernelTime::Refresh() {
  SteadyTime before, after;
  timespec wall;
  int tries = 0;
  do {
    before = SteadyNow();
    clock_gettime(CLOCK_REALTIME, &wall);
    after = SteadyNow();
  } while (after - before > kCloseTogether && ++tries < kTries);
  Refresh(before + (after - before) / 2, ToNanoseconds(wall));
}

void KernelTime::Refresh(SteadyTime now, Nanoseconds wall) {
  const Nanoseconds offset = wall - now.time_since_epoch();
  const Nanoseconds allowed = kReadingError + (now - now_) / kSlewDivisor;
  stepped_ = !fresh_ && std::chrono::abs(offset - offset_) > allowed;
  fresh_ = false;
  oldest_ = now_ - kOldest;
  offset_ = offset;
  now_ = now;
}

SteadyTime KernelTime::SteadyTimeOf(const timespec& wall) const {
  if (stepped_) return now_;
  const SteadyTime time(ToNanoseconds(wall) - offset_);
  return time < oldest_ || time > now_ + kYoungest ? now_ : time;
}

}  // namespace echo_exporter
