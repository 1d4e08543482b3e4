// Implementation notes:
//   a) The system calls the control handler on a thread of its own.
//   b) After a close, log-off or shutdown event it ends the process as soon as
//      the handler returns, or after about 5 s when it does not. So the handler
//      sleeps, and main() ends the process and with it the handler's thread.
//   c) Removing the handler does not wait for a running call, so the data that
//      it uses lives as long as the process.
//   d) A service receives the log-off events of every user. It belongs to none
//      of them and must ignore these events. Services run in session 0.
//   e) Log-off and shutdown events do not reach processes that have loaded
//      user32.dll or gdi32.dll.

#include <windows.h>

#include <array>
#include <atomic>
#include <stdexcept>

#include "src/base/text_windows.h"
#include "src/service/process_events.h"

namespace echo_exporter {
namespace {

constexpr DWORD kSystemPatienceMilliseconds = 5000;

// Manual-reset, so that it stays signalled for every waiting thread.
HANDLE StopEvent() {
  static const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  return event;
}

// Auto-reset: one waiting thread takes it.
HANDLE ReloadEvent() {
  static const HANDLE event = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  return event;
}

std::atomic<bool> interrupted = false;

bool IsService() {
  DWORD session = 0;
  return ProcessIdToSessionId(GetCurrentProcessId(), &session) && session == 0;
}

BOOL WINAPI HandleControlEvent(DWORD control) {
  if (control == CTRL_LOGOFF_EVENT && IsService()) return TRUE;
  SetEvent(StopEvent());
  if (control == CTRL_C_EVENT || control == CTRL_BREAK_EVENT) {
    // The second one is left to the system's own handler, which ends the
    // process.
    return interrupted.exchange(true) ? FALSE : TRUE;
  }
  Sleep(kSystemPatienceMilliseconds);
  return TRUE;
}

class WindowsProcessEvents final : public ProcessEvents {
 public:
  WindowsProcessEvents() {
    interrupted = false;
    if (StopEvent() == nullptr || ReloadEvent() == nullptr ||
        !ResetEvent(StopEvent()) || !ResetEvent(ReloadEvent()) ||
        !SetConsoleCtrlHandler(HandleControlEvent, TRUE)) {
      throw std::runtime_error("listening for console events: " +
                               SystemErrorText(GetLastError()));
    }
  }
  ~WindowsProcessEvents() override {
    SetConsoleCtrlHandler(HandleControlEvent, FALSE);
  }
  WindowsProcessEvents(const WindowsProcessEvents&) = delete;
  WindowsProcessEvents& operator=(const WindowsProcessEvents&) = delete;

  std::optional<Event> WaitFor(std::optional<Nanoseconds> duration) override {
    DWORD patience = INFINITE;
    if (duration) {
      patience = static_cast<DWORD>(
          std::chrono::ceil<std::chrono::milliseconds>(*duration).count());
    }
    // If several are signalled, the call returns the first of them.
    const std::array<HANDLE, 2> events = {StopEvent(), ReloadEvent()};
    switch (WaitForMultipleObjects(static_cast<DWORD>(events.size()),
                                   events.data(), FALSE, patience)) {
      case WAIT_OBJECT_0:
        return Event::kStop;
      case WAIT_OBJECT_0 + 1:
        return Event::kReload;
      default:
        return std::nullopt;
    }
  }

  void Raise(Event event) override {
    SetEvent(event == Event::kStop ? StopEvent() : ReloadEvent());
  }
};

}  // namespace

// Windows has no console event for a reload: a service control raises it.
std::unique_ptr<ProcessEvents> ProcessEvents::Create(bool) {
  return std::make_unique<WindowsProcessEvents>();
}

void IgnoreBrokenPipes() {}  // Windows has no such signal.

}  // namespace echo_exporter
