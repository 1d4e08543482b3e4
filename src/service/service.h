#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_H_

#include <functional>
#include <memory>

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

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_H_
