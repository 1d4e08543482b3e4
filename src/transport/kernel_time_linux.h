#ifndef ECHO_EXPORTER_SRC_TRANSPORT_KERNEL_TIME_LINUX_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_KERNEL_TIME_LINUX_H_

#include <time.h>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Puts the kernel's time stamps, which are of the wall clock, on the steady
/// time line: by their age, with both clocks read anew for each batch. A wall
/// clock that was set in the meantime makes ages meaningless; this is noticed
/// by the difference of the clocks, and the stamps of that batch are then not
/// used.
///
/// Confined to one thread at a time.
class KernelTime {
 public:
  /// Reads the clocks.
  void Refresh();

  /// The same with the readings given; `wall` since 1970.
  void Refresh(SteadyTime now, Nanoseconds wall);

  /// Of the last Refresh().
  SteadyTime now() const { return now_; }

  /// When something happened that the kernel stamped `wall` and that was read
  /// after the last Refresh(), or shortly before. now() when the stamp cannot
  /// be used.
  SteadyTime SteadyTimeOf(const timespec& wall) const;

 private:
  SteadyTime now_{};
  Nanoseconds offset_{};  ///< of the wall clock before the steady one
  bool stepped_ = true;   ///< between the last two readings
  bool fresh_ = true;     ///< no reading yet
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_KERNEL_TIME_LINUX_H_
