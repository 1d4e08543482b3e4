#pragma once

#include "echo_exporter/exporter.h"
#include "src/app/command_line.h"
#include "src/service/process_events.h"
#include "src/service/service.h"

namespace echo_exporter {

/// Loads the configuration, and probes and serves until a stop; returns the
/// exit code, within the limits of Exporter::Stop(). Lookups may still be in
/// progress then, which can neither be cancelled nor waited for: the exporter
/// is not destroyed, and the process must be ended by std::_Exit().
int RunDaemon(const DaemonOptions& options, Exporter::Environment environment,
              ProcessEvents& events, ServiceStatus& status);

/// Reports, on the console or in the log, why the daemon does not start;
/// returns the exit code.
int RefuseToStart(const ImmediateExit& exit, const ServiceStatus& status);

}  // namespace echo_exporter
