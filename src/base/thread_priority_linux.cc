// Implementation notes:
//   a) Since Linux 6.12 a thread may say how long it wants to run at a time
//      (sched_runtime of sched_setattr(2), 0.1 ms at least), without any right.
//      The shorter, the sooner it runs when it wakes, or was interrupted, at
//      the same share of the processor. Older versions ignore it.

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "src/base/thread_priority.h"
#include "src/base/thread_schedule_linux.h"

namespace echo_exporter {
namespace {

constexpr pid_t kThisThread = 0;

/// Absent where it is not known, or not how threads usually run.
std::optional<ThreadSchedule> ReadSchedule() {
  ThreadSchedule schedule;
  if (syscall(SYS_sched_getattr, kThisThread, &schedule, sizeof schedule, 0) !=
          0 ||
      schedule.policy != SCHED_OTHER) {
    return std::nullopt;
  }
  return schedule;
}

bool RunAtATime(ThreadSchedule schedule, std::int64_t nanoseconds) {
  schedule.runtime = static_cast<std::uint64_t>(nanoseconds);
  return syscall(SYS_sched_setattr, kThisThread, &schedule, 0) == 0;
}

}  // namespace

RaisedThreadPriority::RaisedThreadPriority() {
  constexpr std::chrono::nanoseconds kSlice = std::chrono::microseconds(100);
  const auto schedule = ReadSchedule();
  // Where it is refused, the thread runs as any other.
  if (schedule && RunAtATime(*schedule, kSlice.count())) {
    before_ = static_cast<std::int64_t>(schedule->runtime);
  }
}

RaisedThreadPriority::~RaisedThreadPriority() {
  if (!before_) return;
  if (const auto schedule = ReadSchedule()) RunAtATime(*schedule, *before_);
}

}  // namespace echo_exporter
