// Implementation notes:
//   a) A pending state must show progress within the wait hint, or the service
//      counts as hung. A thread increments the checkpoint. This does not hide a
//      hang permanently: the caller that requested the change has a timeout of
//      its own.
//   b) The system restarts a service that reports an exit code other than 0.

#include "src/service/service_status_windows.h"

#include <chrono>
#include <utility>

#include "src/base/exit_code.h"

namespace echo_exporter {
namespace {

constexpr auto kCheckpointInterval = std::chrono::seconds(1);
constexpr DWORD kWaitHintMilliseconds = 10000;

bool IsPending(DWORD state) {
  return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
}

}  // namespace

void WindowsServiceStatus::Begin(Reporter report) {
  {
    const MutexLock lock(mutex_);
    report_ = std::move(report);
    Report(SERVICE_START_PENDING);
  }
  checkpoints_.emplace(kCheckpointInterval, [this] {
    const MutexLock lock(mutex_);
    if (IsPending(status_.dwCurrentState)) Report(status_.dwCurrentState);
  });
}

void WindowsServiceStatus::NotifyStopped(int exit_code) {
  checkpoints_.reset();
  const MutexLock lock(mutex_);
  stopping_ = true;
  status_.dwWin32ExitCode =
      exit_code == kExitFailure ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR;
  status_.dwServiceSpecificExitCode = static_cast<DWORD>(exit_code);
  Report(SERVICE_STOPPED);
}

void WindowsServiceStatus::Enter(DWORD state) {
  const MutexLock lock(mutex_);
  if (stopping_ || !report_) return;
  stopping_ = state == SERVICE_STOP_PENDING;
  status_.dwCheckPoint = 0;
  Report(state);
}

void WindowsServiceStatus::Report(DWORD state) {
  status_.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
  status_.dwCurrentState = state;
  status_.dwControlsAccepted = 0;
  status_.dwWaitHint = 0;
  if (state == SERVICE_RUNNING) {
    status_.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
                                 SERVICE_ACCEPT_PRESHUTDOWN |
                                 SERVICE_ACCEPT_PARAMCHANGE;
  } else if (IsPending(state)) {
    ++status_.dwCheckPoint;
    status_.dwWaitHint = kWaitHintMilliseconds;
  }
  report_(status_);
}

}  // namespace echo_exporter
