// Implementation notes:
//   a) The timeout of ppoll() is in nanoseconds, on the clock that
//      std::chrono::steady_clock reads, and never ends early; timer slack
//      makes it 50 us late.
//   b) An eventfd keeps a wake-up that arrives while no thread waits.
//   c) Since Linux 6.12 a thread may say how long it wants to run at a time
//      (sched_runtime of sched_setattr(2), 0.1 ms at least), without any right.
//      The shorter, the sooner it runs when it wakes, at the same share of the
//      processor. Older versions ignore it.

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "src/base/thread_schedule_linux.h"
#include "src/base/waiter.h"

namespace echo_exporter {
namespace {

[[noreturn]] void ThrowErrno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

timespec ToTimespec(Nanoseconds duration) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  timespec result{};
  result.tv_sec = seconds.count();
  result.tv_nsec = (duration - seconds).count();
  return result;
}

class LinuxWaiter final : public Waiter {
 public:
  LinuxWaiter() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_ < 0) ThrowErrno("creating an eventfd");
  }
  ~LinuxWaiter() override { close(wake_); }
  LinuxWaiter(const LinuxWaiter&) = delete;
  LinuxWaiter& operator=(const LinuxWaiter&) = delete;

  void WaitUntil(std::optional<SteadyTime> deadline) override {
    int ready = 0;
    do {
      timespec left{};
      if (deadline) {
        left = ToTimespec(std::max(*deadline - std::chrono::steady_clock::now(),
                                   Nanoseconds::zero()));
      }
      pollfd wake{.fd = wake_, .events = POLLIN, .revents = 0};
      ready = ppoll(&wake, 1, deadline ? &left : nullptr, nullptr);
      if (ready < 0 && errno != EINTR) ThrowErrno("waiting for an eventfd");
    } while (ready < 0);
    if (ready > 0) {
      eventfd_t count = 0;
      eventfd_read(wake_, &count);
    }
  }

  // Fails only when 2^64 - 2 wake-ups are pending, which is awake enough.
  void Wake() override { eventfd_write(wake_, 1); }

 private:
  const int wake_;
};

}  // namespace

std::unique_ptr<Waiter> CreateWaiter() {
  return std::make_unique<LinuxWaiter>();
}

void RaiseThreadPriority() {
  constexpr pid_t kThisThread = 0;
  ThreadSchedule schedule;
  if (syscall(SYS_sched_getattr, kThisThread, &schedule, sizeof schedule, 0) !=
          0 ||
      schedule.policy != SCHED_OTHER) {
    return;
  }
  constexpr std::chrono::nanoseconds kSlice = std::chrono::microseconds(100);
  schedule.runtime = kSlice.count();
  // Where it is refused, the thread runs as any other.
  syscall(SYS_sched_setattr, kThisThread, &schedule, 0);
}

}  // namespace echo_exporter
