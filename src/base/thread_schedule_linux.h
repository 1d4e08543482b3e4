#pragma once

#include <cstdint>

namespace echo_exporter {

/// What sched_getattr(2) and sched_setattr(2) exchange, in its first version.
/// The C library has it since 2.41, and the kernel's own header does not go
/// with earlier ones.
struct ThreadSchedule {
  std::uint32_t size = sizeof(ThreadSchedule);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;  ///< of a real-time policy
  /// How long it wants to run at a time, in nanoseconds; 0 before Linux 6.12.
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(ThreadSchedule) == 48);

}  // namespace echo_exporter
