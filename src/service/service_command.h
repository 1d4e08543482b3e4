#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace echo_exporter {

/// `echo_exporter service`.
struct ServiceOptions {
  enum class Action {
    kInstall,
    kConfigure,  ///< settings that an installer does not make, as recovery
    kUninstall,
    kStart,
    kStop,
    kReload,
    kStatus,
  };
  Action action = Action::kStatus;
  /// Arguments for the daemon, which do not depend on the working folder.
  /// kConfigure without any keeps those that the service has.
  std::vector<std::string> daemon_arguments;
};

/// `echo_exporter service`: installs, controls and removes the Windows service.
/// Most actions require an administrator. Prints results to `out` and errors to
/// `err`, and returns the exit code: kExitSuccess; kExitFailure after an error
/// of the system, and for `status` when the service does not run.
///
/// On Linux it refers to systemd and returns kExitUsage.
int RunServiceCommand(const ServiceOptions& options, std::ostream& out,
                      std::ostream& err);

}  // namespace echo_exporter
