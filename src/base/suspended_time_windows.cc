#include <windows.h>

#include <cstdint>

#include "src/base/suspended_time.h"

namespace echo_exporter {

// The performance counter, which is the steady clock, counts suspended time,
// the unbiased interrupt time does not (QueryUnbiasedInterruptTime). The latter
// advances with the clock interrupt, by 15.6 ms at most. QueryInterruptTime,
// which counts suspended time too, exists only since Windows 10.
Nanoseconds SuspendedTimeAt(SteadyTime now) {
  ULONGLONG hundreds = 0;  // of nanoseconds
  QueryUnbiasedInterruptTime(&hundreds);
  return now.time_since_epoch() -
         Nanoseconds(static_cast<std::int64_t>(hundreds) * 100);
}

}  // namespace echo_exporter
