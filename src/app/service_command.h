#ifndef ECHO_EXPORTER_SRC_APP_SERVICE_COMMAND_H_
#define ECHO_EXPORTER_SRC_APP_SERVICE_COMMAND_H_

#include <iosfwd>

#include "src/app/command_line.h"

namespace echo_exporter {

/// `echo_exporter service`: installs, controls and removes the Windows service.
/// Most of it needs an administrator. Prints what was done to `out`, what went
/// wrong to `err`, and returns the exit code: kExitSuccess; kExitFailure when
/// the system refuses, and of `status` when the service does not run.
///
/// On Linux it says that systemd does this, and returns kExitUsage.
int RunServiceCommand(const ServiceOptions& options, std::ostream& out,
                      std::ostream& err);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_SERVICE_COMMAND_H_
