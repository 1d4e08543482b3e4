#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/result.h"
#include "src/base/periodic.h"
#include "src/service/process_events.h"

namespace echo_exporter {

/// Reports the daemon's state to the system's service manager: the service
/// control manager on Windows, systemd on Linux. Does nothing without one.
///
/// The order is NotifyReady(), then any number of NotifyReloading() followed by
/// NotifyReady(), then NotifyStopping(). Thread-safe.
class ServiceStatus {
 public:
  virtual ~ServiceStatus() = default;

  /// The daemon serves and probes; also: a reload has ended, successfully or
  /// not.
  virtual void NotifyReady() = 0;
  /// The daemon begins to reload its configuration.
  virtual void NotifyReloading() = 0;
  /// The daemon stops, and waits for requests in flight.
  virtual void NotifyStopping() = 0;

  /// Reports to the service manager that the daemon is alive, until the result
  /// is destroyed, at the interval that it requests, and only while the
  /// daemon's work is not blocked: `held_up_for` returns for how long it has
  /// been, and is called on a thread of the watch. Null when the service
  /// manager requests no reports.
  virtual std::unique_ptr<Periodic> Watch(
      // Those that keep it take it.
      // NOLINTNEXTLINE(performance-unnecessary-value-param)
      std::function<Nanoseconds()> held_up_for) {
    static_cast<void>(held_up_for);
    return nullptr;
  }

  /// True when the standard streams are not visible, as in a Windows service:
  /// messages must then go to a log.
  virtual bool HasNoConsole() const = 0;
};

/// The daemon, from its configuration to its last request; returns the exit
/// code.
using DaemonBody = std::function<int(ProcessEvents&, ServiceStatus&)>;

/// Runs the daemon under the service manager, if there is one, and returns the
/// exit code. No flag is needed: it detects whether a service manager has
/// started this process.
///
/// On Windows the control handler is registered before `body` is called, stop
/// and shutdown become ProcessEvents::Event::kStop, SERVICE_CONTROL_PARAMCHANGE
/// becomes kReload, and a body that fails becomes a service-specific exit code.
/// Call it once, from main(). Exceptions of `body` reach the caller; in a
/// Windows service they are logged and count as kExitFailure.
int RunUnderServiceManager(const DaemonBody& body);

/// Rights that a process still needs after it has started.
struct KeptRights {
  bool raw_sockets = false;  ///< to open further ones
};

/// Permanently drops every right but `rights`, for all threads. Call it when
/// ports are bound and sockets are open; no thread may block all signals. Fails
/// when other rights remain; the process should then end, since it has more
/// rights than its administrator expects.
///
/// Linux: CAP_NET_RAW is kept for raw sockets if the process has it; every
/// other capability is dropped. Programs that the process starts get none. The
/// user ids are kept, and with them the access that file modes allow.
Status DropPrivileges(const KeptRights& rights);

/// For each of `files`, and of the folders on the way to them, that others than
/// administrators, the system and the account of this process can change: a
/// sentence that names it, who they are, and the commands that take it away
/// from them. Files that do not exist are passed over; where this cannot be
/// told, the log has a warning, or for a file without the right to ask, there
/// is a sentence, too. Thread-safe.
///
/// A Windows service needs this, because folders outside of those of the system
/// may be written to by every user unless somebody has seen to it. Always empty
/// on Linux, where new files are their owner's.
std::vector<std::string> FindUnprotected(const std::vector<std::string>& files);

}  // namespace echo_exporter
