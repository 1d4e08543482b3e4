// Implementation notes:
//   a) The timeout is on the clock that std::chrono::steady_clock reads, and
//      never ends early; timer slack makes it 50 us late.
//   b) Since Linux 6.12 a thread may say how long it wants to run at a time
//      (sched_runtime of sched_setattr(2), 0.1 ms at least), without any right.
//      The shorter, the sooner it runs when it wakes, at the same share of the
//      processor. Older versions ignore it.

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "src/base/mutex.h"
#include "src/base/thread_schedule_linux.h"
#include "src/base/waiter.h"

namespace echo_exporter {
namespace {

class LinuxWaiter final : public Waiter {
 public:
  void WaitUntil(std::optional<SteadyTime> deadline) override {
    const MutexLock lock(mutex_);
    while (!woken_ && !deadline) changed_.Wait(mutex_);
    while (!woken_ && changed_.WaitUntil(mutex_, *deadline)) {
    }
    woken_ = false;
  }

  void Wake() override {
    const MutexLock lock(mutex_);
    woken_ = true;
    changed_.NotifyOne();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool woken_ GUARDED_BY(mutex_) = false;
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
