// Implementation notes:
//   a) The system ends a service that does not call StartServiceCtrlDispatcher
//      within 30 s of its start, which is short on a busy machine at boot. So
//      this call comes first. On a console it fails at once with
//      ERROR_FAILED_SERVICE_CONTROLLER_CONNECT.
//   b) The service's main function and the control handler get no argument from
//      the caller of the dispatcher, so there is one static object.
//   c) The control handler runs on the dispatcher's thread, which is that of
//      main(). It only raises events: a handler that takes 30 s blocks the
//      controls of all services.
//   d) The dispatcher returns when the service has reported SERVICE_STOPPED,
//      while the service's main function may still be about to return. The exit
//      code is written before.
//   e) A pending state must show progress within the wait hint, or the service
//      counts as hung. A thread increments the checkpoint. This does not hide a
//      hang permanently: the caller that requested the change has a timeout of
//      its own.
//   f) On a console, Wine 8 looks for the service control manager's pipe for
//      10 s before the call of a) fails. There, and only there, the manager is
//      queried first whether this process is the service's.

#include <windows.h>

#include "src/service/service_windows.h"

#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "src/base/exit_code.h"
#include "src/base/log.h"
#include "src/base/mutex.h"
#include "src/base/unique_handle.h"
#include "src/service/service.h"

namespace echo_exporter {
namespace {

constexpr auto kCheckpointInterval = std::chrono::seconds(1);
constexpr DWORD kWaitHintMilliseconds = 10000;

class ConsoleStatus final : public ServiceStatus {
 public:
  void NotifyReady() override {}
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return false; }
};

/// Reports the state of the service to the service control manager.
class WindowsServiceStatus final : public ServiceStatus {
 public:
  explicit WindowsServiceStatus(SERVICE_STATUS_HANDLE handle)
      : handle_(handle) {
    Enter(SERVICE_START_PENDING);
    checkpoints_ = std::thread([this] { CountCheckpoints(); });
  }
  ~WindowsServiceStatus() override { EndCheckpoints(); }
  WindowsServiceStatus(const WindowsServiceStatus&) = delete;
  WindowsServiceStatus& operator=(const WindowsServiceStatus&) = delete;

  void NotifyReady() override { Enter(SERVICE_RUNNING); }
  // Windows has no such state.
  void NotifyReloading() override {}
  void NotifyStopping() override { Enter(SERVICE_STOP_PENDING); }
  bool HasNoConsole() const override { return true; }

  /// The last report: the process may end at once after it.
  void NotifyStopped(int exit_code) {
    EndCheckpoints();
    const MutexLock lock(mutex_);
    status_.dwWin32ExitCode =
        exit_code == kExitSuccess ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
    status_.dwServiceSpecificExitCode = static_cast<DWORD>(exit_code);
    Report(SERVICE_STOPPED);
  }

 private:
  static bool IsPending(DWORD state) {
    return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
  }

  void Enter(DWORD state) {
    const MutexLock lock(mutex_);
    status_.dwCheckPoint = 0;
    Report(state);
  }

  void Report(DWORD state) REQUIRES(mutex_) {
    status_.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status_.dwCurrentState = state;
    status_.dwControlsAccepted = 0;
    status_.dwWaitHint = 0;
    if (state == SERVICE_RUNNING) {
      status_.dwControlsAccepted =
          SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
          SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;
    } else if (IsPending(state)) {
      ++status_.dwCheckPoint;
      status_.dwWaitHint = kWaitHintMilliseconds;
    }
    SetServiceStatus(handle_, &status_);
  }

  void CountCheckpoints() {
    const MutexLock lock(mutex_);
    SteadyTime next = std::chrono::steady_clock::now() + kCheckpointInterval;
    while (!ended_) {
      if (end_.WaitUntil(mutex_, next)) continue;
      next += kCheckpointInterval;
      if (IsPending(status_.dwCurrentState)) Report(status_.dwCurrentState);
    }
  }

  void EndCheckpoints() {
    {
      const MutexLock lock(mutex_);
      ended_ = true;
    }
    end_.NotifyAll();
    if (checkpoints_.joinable()) checkpoints_.join();
  }

  const SERVICE_STATUS_HANDLE handle_;
  Mutex mutex_;
  CondVar end_;
  bool ended_ GUARDED_BY(mutex_) = false;
  SERVICE_STATUS status_ GUARDED_BY(mutex_){};
  std::thread checkpoints_;
};

struct Service {
  const DaemonBody* body = nullptr;
  std::unique_ptr<ProcessEvents> events;
  int exit_code = kExitFailure;
};

Service& TheService() {
  static Service service;
  return service;
}

DWORD WINAPI HandleControl(DWORD control, DWORD /*event_type*/,
                           void* /*event_data*/, void* context) {
  auto& events = *static_cast<ProcessEvents*>(context);
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
      events.Raise(ProcessEvents::Event::kStop);
      return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
      events.Raise(ProcessEvents::Event::kReload);
      return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
      return NO_ERROR;
    default:
      return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void WINAPI ServiceMain(DWORD /*argc*/, wchar_t** /*argv*/) {
  Service& service = TheService();
  const SERVICE_STATUS_HANDLE handle = RegisterServiceCtrlHandlerExW(
      kServiceName, HandleControl, service.events.get());
  if (handle == nullptr) return;
  WindowsServiceStatus status(handle);
  int exit_code = kExitFailure;
  try {
    exit_code = (*service.body)(*service.events, status);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "cannot run", {{"error", error.what()}});
    FlushLog();
  }
  service.exit_code = exit_code;
  status.NotifyStopped(exit_code);
}

struct ServiceHandleTraits {
  using Handle = SC_HANDLE;
  static Handle Invalid() { return nullptr; }
  static void Close(Handle handle) { CloseServiceHandle(handle); }
};
using UniqueServiceHandle = UniqueHandle<ServiceHandleTraits>;

bool IsProcessOfService() {
  const UniqueServiceHandle manager(
      OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT));
  if (!manager) return false;
  const UniqueServiceHandle service(
      OpenServiceW(manager.get(), kServiceName, SERVICE_QUERY_STATUS));
  if (!service) return false;
  SERVICE_STATUS_PROCESS status{};
  DWORD size = 0;
  return QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO,
                              reinterpret_cast<BYTE*>(&status), sizeof(status),
                              &size) &&
         status.dwProcessId == GetCurrentProcessId();
}

bool IsWine() {
  return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") !=
         nullptr;
}

}  // namespace

int RunUnderServiceManager(const DaemonBody& body) {
  Service& service = TheService();
  service.body = &body;
  service.events = ProcessEvents::Create(/*reload=*/true);
  std::wstring name(kServiceName);  // the table wants it writable
  const SERVICE_TABLE_ENTRYW table[] = {{name.data(), &ServiceMain},
                                        {nullptr, nullptr}};
  if ((!IsWine() || IsProcessOfService()) &&
      StartServiceCtrlDispatcherW(table)) {
    return service.exit_code;
  }
  ConsoleStatus status;
  return body(*service.events, status);
}

}  // namespace echo_exporter
