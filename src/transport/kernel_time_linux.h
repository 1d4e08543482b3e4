#ifndef ECHO_EXPORTER_SRC_TRANSPORT_KERNEL_TIME_LINUX_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_KERNEL_TIME_LINUX_H_

#include <time.h>

#include "echo_exporter/clock.h"

namespace echo_exporter {

/// Converts the kernel's time stamps, which are wall-clock times, to the steady
/// clock: by their age, with both clocks read again for each batch. If the wall
/// clock was set meanwhile, ages are meaningless; the difference of the clocks
/// shows this, and the stamps of that batch are then not used.
///
/// Confined to one thread at a time.
class KernelTime {
 public:
  /// Reads the clocks.
  void Refresh();

  /// The same with these readings; `wall` since 1970.
  void Refresh(SteadyTime now, Nanoseconds wall);

  /// Of the last Refresh().
  SteadyTime now() const { return now_; }

  /// The time of an event with the kernel's stamp `wall` that was read after
  /// the last Refresh(), or shortly before. now() when the stamp cannot be
  /// used.
  SteadyTime SteadyTimeOf(const timespec& wall) const;

 private:
  SteadyTime now_{};
  SteadyTime oldest_{};   ///< what can still be a time of arrival
  Nanoseconds offset_{};  ///< the wall clock minus the steady clock
  bool stepped_ = true;   ///< between the last two readings
  bool fresh_ = true;     ///< no reading yet
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_KERNEL_TIME_LINUX_H_
