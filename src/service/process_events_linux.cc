// Implementation notes:
//   a) A signal handler may do very little; a write to an eventfd is allowed,
//      and wakes the thread that polls it. The eventfd of a stop is never read,
//      so it stays signalled.
//   b) A handler may still run on another thread after it was replaced, so the
//      eventfds live as long as the process.
//   c) SA_RESETHAND: the second signal of a kind ends the process. Not for
//      SIGHUP, which may be sent repeatedly.

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <optional>
#include <system_error>

#include "src/service/process_events.h"

namespace echo_exporter {
namespace {

int StopEvent() {
  static const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return event;
}

int ReloadEvent() {
  static const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return event;
}

// Resets the event; false when it was not raised.
bool TakeEvent(int event) {
  eventfd_t count = 0;
  return eventfd_read(event, &count) == 0;
}

extern "C" void HandleSignal(int signal) {
  const int saved = errno;
  eventfd_write(signal == SIGHUP ? ReloadEvent() : StopEvent(), 1);
  errno = saved;
}

/// Handles a signal until destroyed.
class SignalHandler {
 public:
  SignalHandler(int signal, int flags) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = HandleSignal;
    action.sa_flags = flags;
    sigaction(signal_, &action, &old_);
  }
  ~SignalHandler() { sigaction(signal_, &old_, nullptr); }
  SignalHandler(const SignalHandler&) = delete;
  SignalHandler& operator=(const SignalHandler&) = delete;

 private:
  const int signal_;
  struct sigaction old_ {};
};

class LinuxProcessEvents final : public ProcessEvents {
 public:
  explicit LinuxProcessEvents(bool reload) {
    if (StopEvent() < 0 || ReloadEvent() < 0) {
      throw std::system_error(errno, std::generic_category(),
                              "listening for signals");
    }
    TakeEvent(StopEvent());  // may be left by an earlier object
    TakeEvent(ReloadEvent());
    constexpr int kOnce = static_cast<int>(SA_RESTART | SA_RESETHAND);
    handlers_.emplace_back(SIGINT, kOnce);
    handlers_.emplace_back(SIGTERM, kOnce);
    if (reload) handlers_.emplace_back(SIGHUP, static_cast<int>(SA_RESTART));
  }

  std::optional<Event> WaitFor(std::optional<Nanoseconds> duration) override {
    std::optional<SteadyTime> deadline;
    if (duration) deadline = std::chrono::steady_clock::now() + *duration;
    while (true) {
      timespec left{};
      if (deadline) {
        const Nanoseconds wait = std::max(
            *deadline - std::chrono::steady_clock::now(), Nanoseconds::zero());
        left.tv_sec = wait / std::chrono::seconds(1);
        left.tv_nsec = (wait % std::chrono::seconds(1)).count();
      }
      std::array<pollfd, 2> events{
          {{.fd = StopEvent(), .events = POLLIN, .revents = 0},
           {.fd = ReloadEvent(), .events = POLLIN, .revents = 0}}};
      const int ready = ppoll(events.data(), events.size(),
                              deadline ? &left : nullptr, nullptr);
      if (ready == 0) return std::nullopt;
      if (ready < 0) continue;
      if (events[0].revents != 0) return Event::kStop;
      // Another thread may have taken it.
      if (TakeEvent(ReloadEvent())) return Event::kReload;
    }
  }

  void Raise(Event event) override {
    eventfd_write(event == Event::kStop ? StopEvent() : ReloadEvent(), 1);
  }

 private:
  std::list<SignalHandler> handlers_;
};

}  // namespace

std::unique_ptr<ProcessEvents> ProcessEvents::Create(bool reload) {
  return std::make_unique<LinuxProcessEvents>(reload);
}

void IgnoreBrokenPipes() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace echo_exporter
