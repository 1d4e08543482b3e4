#pragma once

#include <chrono>

namespace echo_exporter {

using Nanoseconds = std::chrono::nanoseconds;

/// A point on the monotonic time line, in nanoseconds. Deadlines and round-trip
/// times use it, so that a step of the wall clock does not affect them.
using SteadyTime =
    std::chrono::time_point<std::chrono::steady_clock, Nanoseconds>;

/// Wall-clock time, for timestamps that a person or Prometheus reads.
using WallTime = std::chrono::system_clock::time_point;

/// Returns the time. Injected wherever logic depends on it, so that tests
/// control the time.
///
/// Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime Now() const = 0;
  virtual WallTime WallNow() const = 0;

  /// How long the machine was suspended in total so far, since an arbitrary
  /// moment; never decreases but for an error of 100 ms.
  virtual Nanoseconds SuspendedTime() const { return Nanoseconds::zero(); }

  /// The machine's clock; lives as long as the process.
  static const Clock& System();
};

}  // namespace echo_exporter
