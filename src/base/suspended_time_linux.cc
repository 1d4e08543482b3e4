#include <time.h>

#include "src/base/suspended_time.h"

namespace echo_exporter {

// CLOCK_BOOTTIME counts suspended time, CLOCK_MONOTONIC, which is the steady
// clock, does not (clock_gettime(2)).
Nanoseconds SuspendedTimeAt(SteadyTime now) {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec) -
         now.time_since_epoch();
}

}  // namespace echo_exporter
