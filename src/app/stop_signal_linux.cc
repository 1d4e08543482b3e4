// Implementation notes:
//   a) A signal handler may do next to nothing; a write to an eventfd is
//      allowed, and wakes whoever polls it. It is never read, so it stays.
//   b) A handler may still run on another thread after it was replaced, so the
//      eventfd lives as long as the process.
//   c) SA_RESETHAND: the second signal of a kind ends the process.

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "src/app/stop_signal.h"

namespace echo_exporter {
namespace {

int StopEvent() {
  static const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return event;
}

extern "C" void HandleStopSignal(int) {
  const int saved = errno;
  eventfd_write(StopEvent(), 1);
  errno = saved;
}

class LinuxStopSignal final : public StopSignal {
 public:
  LinuxStopSignal() {
    if (StopEvent() < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "listening for signals");
    }
    eventfd_t count = 0;
    eventfd_read(StopEvent(), &count);  // what an earlier one has left
    struct sigaction action {};
    action.sa_handler = HandleStopSignal;
    action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
  }
  ~LinuxStopSignal() override {
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
  }
  LinuxStopSignal(const LinuxStopSignal&) = delete;
  LinuxStopSignal& operator=(const LinuxStopSignal&) = delete;

  void Wait() override { Poll(std::nullopt); }

  bool WaitFor(Nanoseconds duration) override {
    return Poll(std::chrono::steady_clock::now() + duration);
  }

  void Raise() override { eventfd_write(StopEvent(), 1); }

 private:
  static bool Poll(std::optional<SteadyTime> deadline) {
    while (true) {
      timespec left{};
      if (deadline) {
        const Nanoseconds duration = std::max(
            *deadline - std::chrono::steady_clock::now(), Nanoseconds::zero());
        left.tv_sec = duration / std::chrono::seconds(1);
        left.tv_nsec = (duration % std::chrono::seconds(1)).count();
      }
      pollfd event{.fd = StopEvent(), .events = POLLIN, .revents = 0};
      const int ready = ppoll(&event, 1, deadline ? &left : nullptr, nullptr);
      if (ready >= 0) return ready > 0;
    }
  }

  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
};

}  // namespace

std::unique_ptr<StopSignal> StopSignal::Create() {
  return std::make_unique<LinuxStopSignal>();
}

}  // namespace echo_exporter
