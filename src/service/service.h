#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_H_

#include <functional>
#include <memory>

#include "src/service/process_events.h"

namespace echo_exporter {

/// Tells the service manager, until destroyed, that the daemon is alive.
class ServiceWatch {
 public:
  virtual ~ServiceWatch() = default;
};

/// What the daemon tells the system's service manager about itself: the
/// service control manager on Windows, systemd on Linux. Where nobody listens,
/// nothing happens.
///
/// The order is NotifyReady(), then any number of NotifyReloading() followed by
/// NotifyReady(), then NotifyStopping(). Thread-safe.
class ServiceStatus {
 public:
  virtual ~ServiceStatus() = default;

  /// It serves and probes; also: a reload has ended, well or not.
  virtual void NotifyReady() = 0;
  /// It begins to read its configuration again.
  virtual void NotifyReloading() = 0;
  /// It stops, and gives requests in flight their time.
  virtual void NotifyStopping() = 0;

  /// Begins to tell the service manager that the daemon is alive, as often as
  /// it wants to hear that, and only while what it does is not held up:
  /// `held_up_for` says for how long it has been. That is called from a thread
  /// of the watch. Null where nobody wants to know.
  virtual std::unique_ptr<ServiceWatch> Watch(
      std::function<Nanoseconds()> held_up_for) {
    static_cast<void>(held_up_for);
    return nullptr;
  }

  /// True where nobody sees the standard streams, which holds for a Windows
  /// service: what is to be known must go to a log.
  virtual bool HasNoConsole() const = 0;
};

/// The daemon, from its configuration to its last request; returns the exit
/// code.
using DaemonBody = std::function<int(ProcessEvents&, ServiceStatus&)>;

/// Runs the daemon as the service manager wants it, when there is one, and
/// returns the exit code. No flag is needed: whether a service manager has
/// started this process is found out.
///
/// On Windows the control handler is there before `body` is called, stop and
/// shutdown become ProcessEvents::Event::kStop, SERVICE_CONTROL_PARAMCHANGE
/// becomes kReload, and a body that fails becomes a service-specific exit code.
/// Call it once, from main(). What `body` throws comes through to the caller;
/// in a Windows service it is logged and counts as kExitFailure.
int RunUnderServiceManager(const DaemonBody& body);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_H_
