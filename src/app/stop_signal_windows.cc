// Implementation notes:
//   a) The system calls the control handler on a thread of its own.
//   b) After a close, log-off or shutdown event it ends the process as soon as
//      the handler returns, or after about 5 s when it does not. So the handler
//      stays, and main() ends the process, the handler's thread with it.
//   c) Removing the handler does not wait for one that runs, so what it touches
//      lives as long as the process.
//   d) A service hears when anyone logs off, not only the user that it belongs
//      to: it has none, and must go on. Services live in session 0.
//   e) Log-off and shutdown events do not reach processes that have loaded
//      user32.dll or gdi32.dll.

#include <windows.h>

#include <atomic>
#include <system_error>

#include "src/app/stop_signal.h"

namespace echo_exporter {
namespace {

constexpr DWORD kSystemPatienceMilliseconds = 5000;

// Manual-reset, so that it stays signalled for everyone who waits.
HANDLE StopEvent() {
  static const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
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
    // Not handling the second one leaves it to the system's own handler, which
    // ends the process.
    return interrupted.exchange(true) ? FALSE : TRUE;
  }
  Sleep(kSystemPatienceMilliseconds);
  return TRUE;
}

class WindowsStopSignal final : public StopSignal {
 public:
  WindowsStopSignal() {
    interrupted = false;
    if (StopEvent() == nullptr || !ResetEvent(StopEvent()) ||
        !SetConsoleCtrlHandler(HandleControlEvent, TRUE)) {
      throw std::system_error(static_cast<int>(GetLastError()),
                              std::system_category(),
                              "listening for console events");
    }
  }
  ~WindowsStopSignal() override {
    SetConsoleCtrlHandler(HandleControlEvent, FALSE);
  }
  WindowsStopSignal(const WindowsStopSignal&) = delete;
  WindowsStopSignal& operator=(const WindowsStopSignal&) = delete;

  void Wait() override { WaitForSingleObject(StopEvent(), INFINITE); }

  bool WaitFor(Nanoseconds duration) override {
    const auto milliseconds =
        std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    return WaitForSingleObject(StopEvent(), static_cast<DWORD>(milliseconds)) ==
           WAIT_OBJECT_0;
  }

  void Raise() override { SetEvent(StopEvent()); }
};

}  // namespace

std::unique_ptr<StopSignal> StopSignal::Create() {
  return std::make_unique<WindowsStopSignal>();
}

}  // namespace echo_exporter
