#pragma once

#include <memory>
#include <optional>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Lets one thread sleep until a precise deadline or until it is woken.
///
/// WaitUntil() is confined to one thread; Wake() is thread-safe.
class Waiter {
 public:
  virtual ~Waiter() = default;

  /// Returns at `deadline` (absent: never) or at the first Wake() since the
  /// last return, whichever comes first. A Wake() is never lost. Returns late
  /// by the timer's resolution (well under 1 ms where the system supports it),
  /// and never early by more than 1 us.
  virtual void WaitUntil(std::optional<SteadyTime> deadline) = 0;

  virtual void Wake() = 0;
};

/// The waiter of this operating system; also asks systems that throttle a
/// process's timers not to do so.
std::unique_ptr<Waiter> CreateWaiter();

}  // namespace echo_exporter
