#ifndef ECHO_EXPORTER_SRC_APP_DAEMON_COMMAND_H_
#define ECHO_EXPORTER_SRC_APP_DAEMON_COMMAND_H_

#include "echo_exporter/exporter.h"
#include "src/app/command_line.h"
#include "src/app/process_events.h"
#include "src/app/service.h"

namespace echo_exporter {

/// Loads the configuration, and probes and serves until told to stop. Returns
/// the exit code when there is nothing to stop; after a stop it ends the
/// process, within the limits of Exporter::Stop() and whatever still runs.
int RunDaemon(const DaemonOptions& options, Exporter::Environment environment,
              ProcessEvents& events, ServiceStatus& status);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_APP_DAEMON_COMMAND_H_
