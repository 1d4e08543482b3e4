// Implementation notes:
//   a) The account is a virtual one, "NT SERVICE\\echo_exporter": it is created
//      with the service, has no password and only the rights of any user, which
//      are sufficient for the ICMP API.
//   b) Recovery actions also apply to a service that reports an exit code other
//      than 0 only with SERVICE_CONFIG_FAILURE_ACTIONS_FLAG.
//   c) Settings that an older system or Wine does not support are skipped with
//      a warning: the service works without them.
//   d) A service with open handles is removed when the last one is closed;
//      until then its name cannot be used again.
//   e) A process whose threads have requests in the kernel, which for ICMP
//      cannot be cancelled, ends when they do.

#include <array>
#include <chrono>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "src/base/event_source_windows.h"
#include "src/base/exit_code.h"
#include "src/base/text_windows.h"
#include "src/base/unique_handle_windows.h"
#include "src/service/argument_text.h"
#include "src/service/service_command.h"
#include "src/service/service_windows.h"

namespace echo_exporter {
namespace {

constexpr wchar_t kDisplayName[] = L"Echo exporter";
constexpr wchar_t kDescription[] =
    L"Measures packet loss and round-trip time with ICMP echo requests for "
    L"Prometheus.";
constexpr wchar_t kAccount[] = L"NT SERVICE\\echo_exporter";

// The time without a failure after which the failure count is reset.
constexpr DWORD kResetSeconds = 3600;
// The longest drain_timeout, and some margin.
constexpr DWORD kPreshutdownMilliseconds = 75000;
constexpr auto kStatePatience = std::chrono::seconds(90);
// The longest timeout of a request, and some margin.
constexpr auto kExitPatience = std::chrono::seconds(65);
constexpr auto kPollInterval = std::chrono::milliseconds(100);

/// A failed call of the system.
struct Refusal {
  std::string text;
};

[[noreturn]] void Refuse(const std::string& what, DWORD code) {
  throw Refusal{what + ": " + SystemErrorText(code)};
}

SERVICE_STATUS_PROCESS Query(SC_HANDLE service) {
  SERVICE_STATUS_PROCESS status{};
  DWORD size = 0;
  if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO,
                            reinterpret_cast<BYTE*>(&status), sizeof(status),
                            &size)) {
    Refuse("querying the service's state", GetLastError());
  }
  return status;
}

std::wstring ProgramPath() {
  std::wstring path(32768, L'\0');  // the longest possible
  path.resize(GetModuleFileNameW(nullptr, path.data(),
                                 static_cast<DWORD>(path.size())));
  return path;
}

UniqueServiceHandle OpenManager(DWORD access) {
  UniqueServiceHandle manager(OpenSCManagerW(nullptr, nullptr, access));
  if (!manager) Refuse("opening the service control manager", GetLastError());
  return manager;
}

UniqueServiceHandle OpenOurs(DWORD access) {
  const UniqueServiceHandle manager = OpenManager(SC_MANAGER_CONNECT);
  UniqueServiceHandle service(
      OpenServiceW(manager.get(), kServiceName, access));
  if (!service) Refuse("opening the service", GetLastError());
  return service;
}

std::wstring DaemonCommand(const std::vector<std::string>& daemon_arguments) {
  std::vector<std::string> arguments = {ToUtf8(ProgramPath())};
  arguments.insert(arguments.end(), daemon_arguments.begin(),
                   daemon_arguments.end());
  return ToWide(JoinArguments(arguments));
}

void Configure(SC_HANDLE service, std::ostream& err) {
  const auto set = [&](DWORD level, void* value, const char* what) {
    if (ChangeServiceConfig2W(service, level, value)) return;
    const DWORD code = GetLastError();
    const std::string text = std::string("setting ") + what;
    if (code != ERROR_INVALID_LEVEL && code != ERROR_CALL_NOT_IMPLEMENTED) {
      Refuse(text, code);
    }
    err << "warning: " << text << ": not supported by this system\n";
  };
  std::wstring description(kDescription);
  SERVICE_DESCRIPTIONW text{description.data()};
  set(SERVICE_CONFIG_DESCRIPTION, &text, "the description");

  SERVICE_DELAYED_AUTO_START_INFO delayed{TRUE};
  set(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed, "the delayed start");

  std::array<SC_ACTION, 3> actions = {{{SC_ACTION_RESTART, 5000},
                                       {SC_ACTION_RESTART, 30000},
                                       {SC_ACTION_RESTART, 60000}}};
  SERVICE_FAILURE_ACTIONSW recovery{};
  recovery.dwResetPeriod = kResetSeconds;
  recovery.cActions = static_cast<DWORD>(actions.size());
  recovery.lpsaActions = actions.data();
  set(SERVICE_CONFIG_FAILURE_ACTIONS, &recovery, "the recovery actions");

  SERVICE_FAILURE_ACTIONS_FLAG on_exit_code{TRUE};
  set(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &on_exit_code,
      "the recovery after an exit code");

  SERVICE_SID_INFO sid{SERVICE_SID_TYPE_UNRESTRICTED};
  set(SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "the service SID");

  SERVICE_PRESHUTDOWN_INFO preshutdown{kPreshutdownMilliseconds};
  set(SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown,
      "the time before a shutdown");
}

void SetCommand(SC_HANDLE service, const std::wstring& command) {
  if (!ChangeServiceConfigW(service, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE,
                            SERVICE_NO_CHANGE, command.c_str(), nullptr,
                            nullptr, nullptr, nullptr, nullptr, nullptr)) {
    Refuse("setting the service's command line", GetLastError());
  }
}

// An installer may leave the program's path unquoted, and Windows would then
// try C:\\Program.exe for C:\\Program Files\\... first.
void QuoteProgram(SC_HANDLE service) {
  DWORD size = 0;
  QueryServiceConfigW(service, nullptr, 0, &size);
  std::vector<BYTE> buffer(size + sizeof(QUERY_SERVICE_CONFIGW));
  auto* const config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(buffer.data());
  if (!QueryServiceConfigW(service, config, static_cast<DWORD>(buffer.size()),
                           &size)) {
    Refuse("reading the service's configuration", GetLastError());
  }
  const std::wstring command = config->lpBinaryPathName;
  const std::wstring program = ProgramPath();
  if (!command.starts_with(program)) return;
  SetCommand(service, L'"' + program + L'"' + command.substr(program.size()));
}

void ProtectFolder() {
  const Status status = ProtectServiceFolder(ServiceFolder());
  if (!status.ok()) throw Refusal{status.error().message};
}

void RegisterEventSource() {
  constexpr DWORD kTypes =
      EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
  LSTATUS status = RegSetKeyValueW(
      HKEY_LOCAL_MACHINE, kEventSourceKey, L"EventMessageFile", REG_EXPAND_SZ,
      kEventMessageFile, static_cast<DWORD>(sizeof(kEventMessageFile)));
  if (status == ERROR_SUCCESS) {
    status =
        RegSetKeyValueW(HKEY_LOCAL_MACHINE, kEventSourceKey, L"TypesSupported",
                        REG_DWORD, &kTypes, sizeof(kTypes));
  }
  if (status != ERROR_SUCCESS) {
    Refuse("registering the event source", static_cast<DWORD>(status));
  }
}

void Install(const std::vector<std::string>& daemon_arguments,
             std::ostream& out, std::ostream& err) {
  const std::wstring command = DaemonCommand(daemon_arguments);
  const UniqueServiceHandle manager = OpenManager(SC_MANAGER_CREATE_SERVICE);
  const UniqueServiceHandle service(CreateServiceW(
      manager.get(), kServiceName, kDisplayName,
      SERVICE_CHANGE_CONFIG | SERVICE_START | DELETE, SERVICE_WIN32_OWN_PROCESS,
      SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, command.c_str(),
      /*lpLoadOrderGroup=*/nullptr, /*lpdwTagId=*/nullptr,
      /*lpDependencies=*/nullptr, kAccount, /*lpPassword=*/nullptr));
  if (!service) Refuse("installing the service", GetLastError());
  try {
    Configure(service.get(), err);
    RegisterEventSource();
    ProtectFolder();
  } catch (const Refusal&) {
    DeleteService(service.get());  // all or nothing
    throw;
  }
  out << "installed: " << ToUtf8(command) << "\n";
}

void Await(SC_HANDLE service, DWORD state) {
  const auto deadline = std::chrono::steady_clock::now() + kStatePatience;
  while (true) {
    const SERVICE_STATUS_PROCESS status = Query(service);
    if (status.dwCurrentState == state) return;
    if (status.dwCurrentState == SERVICE_STOPPED) {
      if (status.dwServiceSpecificExitCode != 0) {
        throw Refusal{"the service has failed with exit code " +
                      std::to_string(status.dwServiceSpecificExitCode) +
                      "; see its log or the event log"};
      }
      Refuse("the service has stopped", status.dwWin32ExitCode);
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw Refusal{"timeout while waiting for the service"};
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

bool Exists(DWORD process) {
  const UniqueKernelHandle handle(OpenProcess(SYNCHRONIZE, FALSE, process));
  return handle || GetLastError() == ERROR_ACCESS_DENIED;
}

void Stop(SC_HANDLE service, std::ostream& err) {
  const DWORD id = Query(service).dwProcessId;
  const UniqueKernelHandle process(OpenProcess(SYNCHRONIZE, FALSE, id));
  SERVICE_STATUS status{};
  if (!ControlService(service, SERVICE_CONTROL_STOP, &status)) {
    const DWORD code = GetLastError();
    // It may be stopping, or may have stopped already.
    if (code != ERROR_SERVICE_NOT_ACTIVE &&
        code != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) {
      Refuse("stopping the service", code);
    }
  }
  Await(service, SERVICE_STOPPED);
  // A service counts as stopped when it reports so, but its files, which an
  // installer is about to replace, are in use until its process has ended.
  if (id != 0 && !AwaitProcessEnd(process.get(), id, kExitPatience)) {
    err << "warning: the service has stopped, but its process " << id
        << " has not ended\n";
  }
}

void Uninstall(std::ostream& out, std::ostream& err) {
  const UniqueServiceHandle service =
      OpenOurs(SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
  Stop(service.get(), err);
  if (!DeleteService(service.get())) {
    Refuse("removing the service", GetLastError());
  }
  const LSTATUS status = RegDeleteTreeW(HKEY_LOCAL_MACHINE, kEventSourceKey);
  if (status != ERROR_SUCCESS && status != ERROR_FILE_NOT_FOUND) {
    Refuse("removing the event source", static_cast<DWORD>(status));
  }
  RemoveEmptyServiceFolder(ServiceFolder());
  out << "uninstalled\n";
}

int PrintStatus(std::ostream& out) {
  const UniqueServiceHandle service = OpenOurs(SERVICE_QUERY_STATUS);
  const SERVICE_STATUS_PROCESS status = Query(service.get());
  switch (status.dwCurrentState) {
    case SERVICE_RUNNING:
      out << "running, process " << status.dwProcessId << "\n";
      return kExitSuccess;
    case SERVICE_START_PENDING:
      out << "starting\n";
      return kExitFailure;
    case SERVICE_STOP_PENDING:
      out << "stopping\n";
      return kExitFailure;
    default:
      out << "stopped, exit code "
          << (status.dwServiceSpecificExitCode != 0
                  ? status.dwServiceSpecificExitCode
                  : status.dwWin32ExitCode)
          << "\n";
      return kExitFailure;
  }
}

int Run(const ServiceOptions& options, std::ostream& out, std::ostream& err) {
  switch (options.action) {
    case ServiceOptions::Action::kInstall:
      Install(options.daemon_arguments, out, err);
      return kExitSuccess;
    case ServiceOptions::Action::kConfigure: {
      const auto service = OpenOurs(SERVICE_QUERY_CONFIG |
                                    SERVICE_CHANGE_CONFIG | SERVICE_START);
      if (options.daemon_arguments.empty()) {
        QuoteProgram(service.get());
      } else {
        SetCommand(service.get(), DaemonCommand(options.daemon_arguments));
      }
      Configure(service.get(), err);
      RegisterEventSource();
      ProtectFolder();
      return kExitSuccess;
    }
    case ServiceOptions::Action::kUninstall:
      Uninstall(out, err);
      return kExitSuccess;
    case ServiceOptions::Action::kStart: {
      const auto service = OpenOurs(SERVICE_START | SERVICE_QUERY_STATUS);
      if (!StartServiceW(service.get(), 0, nullptr)) {
        Refuse("starting the service", GetLastError());
      }
      Await(service.get(), SERVICE_RUNNING);
      out << "started\n";
      return kExitSuccess;
    }
    case ServiceOptions::Action::kStop:
      Stop(OpenOurs(SERVICE_STOP | SERVICE_QUERY_STATUS).get(), err);
      out << "stopped\n";
      return kExitSuccess;
    case ServiceOptions::Action::kReload: {
      const auto service = OpenOurs(SERVICE_PAUSE_CONTINUE);
      SERVICE_STATUS status{};
      if (!ControlService(service.get(), SERVICE_CONTROL_PARAMCHANGE,
                          &status)) {
        Refuse("requesting a reload from the service", GetLastError());
      }
      out << "reload requested; the log shows whether the configuration is "
             "valid\n";
      return kExitSuccess;
    }
    case ServiceOptions::Action::kStatus:
      return PrintStatus(out);
  }
  return kExitUsage;
}

}  // namespace

bool AwaitProcessEnd(HANDLE process, DWORD id,
                     std::chrono::milliseconds patience) {
  if (process != nullptr) {
    return WaitForSingleObject(process, static_cast<DWORD>(patience.count())) ==
           WAIT_OBJECT_0;
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (Exists(id)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

int RunServiceCommand(const ServiceOptions& options, std::ostream& out,
                      std::ostream& err) {
  try {
    return Run(options, out, err);
  } catch (const Refusal& refusal) {
    err << "echo_exporter: " << refusal.text << "\n";
    return kExitFailure;
  }
}

}  // namespace echo_exporter
