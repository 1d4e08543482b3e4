// Implementation notes:
//   a) The system ends a service that does not call StartServiceCtrlDispatcher
//      within 30 s of its start, which is short on a busy machine at boot. So
//      this call comes first. On a console it fails at once with
//      ERROR_FAILED_SERVICE_CONTROLLER_CONNECT.
//   b) The service's main function and the control handler get no argument from
//      the caller of the dispatcher, so there is one static object.
//   c) The control handler runs on the dispatcher's thread, which is that of
//      main(). It only raises events and reports: a handler that takes 30 s
//      blocks the controls of all services. A stop is reported as pending
//      there, because the daemon may be busy, and the caller would take a state
//      that does not change for a refusal.
//   d) The dispatcher returns when the service has reported SERVICE_STOPPED,
//      while the service's main function may still be about to return. The exit
//      code is written before.
//   e) On a console, Wine 8 looks for the service control manager's pipe for
//      10 s before the call of a) fails. There, and only there, the manager is
//      queried first whether this process is the service's.

#include "src/service/service_windows.h"

#include <exception>
#include <memory>
#include <string>

#include "src/base/exit_code.h"
#include "src/base/log.h"
#include "src/base/unique_handle_windows.h"
#include "src/service/service.h"
#include "src/service/service_status_windows.h"

namespace echo_exporter {
namespace {

class ConsoleStatus final : public ServiceStatus {
 public:
  void NotifyReady() override {}
  void NotifyReloading() override {}
  void NotifyStopping() override {}
  bool HasNoConsole() const override { return false; }
};

struct Service {
  const DaemonBody* body = nullptr;
  std::unique_ptr<ProcessEvents> events;
  WindowsServiceStatus status;
  int exit_code = kExitFailure;
};

Service& TheService() {
  static Service service;
  return service;
}

DWORD WINAPI HandleControl(DWORD control, DWORD /*event_type*/,
                           void* /*event_data*/, void* /*context*/) {
  Service& service = TheService();
  switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
      service.status.NotifyStopping();
      service.events->Raise(ProcessEvents::Event::kStop);
      return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
      service.events->Raise(ProcessEvents::Event::kReload);
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
      kServiceName, HandleControl, /*lpContext=*/nullptr);
  if (handle == nullptr) return;
  int exit_code = kExitFailure;
  try {
    service.status.Begin(
        [handle](SERVICE_STATUS status) { SetServiceStatus(handle, &status); });
    exit_code = (*service.body)(*service.events, service.status);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "cannot run", {{"error", error.what()}});
    FlushLog();
  }
  service.exit_code = exit_code;
  service.status.NotifyStopped(exit_code);
}

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

// No special rights are needed, neither to send (the IP Helper API requires
// none) nor to listen (no port is reserved), so there is nothing to drop: the
// account of the service determines its rights.
Status DropPrivileges(const KeptRights& /*rights*/) { return std::monostate{}; }

}  // namespace echo_exporter
