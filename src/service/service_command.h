#ifndef ECHO_EXPORTER_SRC_SERVICE_SERVICE_COMMAND_H_
#define ECHO_EXPORTER_SRC_SERVICE_SERVICE_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace echo_exporter {

/// `echo_exporter service`.
struct ServiceOptions {
  enum class Action {
    kInstall,
    kConfigure,  ///< what an installer leaves out: recovery and the like
    kUninstall,
    kStart,
    kStop,
    kReload,
    kStatus,
  };
  Action action = Action::kStatus;
  /// kInstall: arguments for the daemon, which mean the same in any working
  /// folder.
  std::vector<std::string> daemon_arguments;
};

/// `echo_exporter service`: installs, controls and removes the Windows service.
/// Most of it needs an administrator. Prints what was done to `out`, what went
/// wrong to `err`, and returns the exit code: kExitSuccess; kExitFailure when
/// the system refuses, and of `status` when the service does not run.
///
/// On Linux it says that systemd does this, and returns kExitUsage.
int RunServiceCommand(const ServiceOptions& options, std::ostream& out,
                      std::ostream& err);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_SERVICE_SERVICE_COMMAND_H_
