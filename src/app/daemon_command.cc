#include "src/app/daemon_command.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "src/app/file_watch.h"
#include "src/app/privileges.h"
#include "src/base/log.h"

namespace echo_exporter {

namespace {

// What the command line says comes before what the file says.
ConfigOutcome LoadConfigFor(const DaemonOptions& options) {
  ConfigOutcome loaded = LoadConfig(options.config_file);
  if (loaded.config && !options.listen_addresses.empty()) {
    loaded.config->listen_addresses = options.listen_addresses;
  }
  return loaded;
}

// Returns when the process is to stop.
void ReloadUntilStop(const DaemonOptions& options, Exporter& exporter,
                     ProcessEvents& events, ServiceStatus& status) {
  FileWatch file(options.config_file);
  for (;;) {
    const auto event = events.WaitFor(options.auto_reload);
    if (event == ProcessEvents::Event::kStop) return;
    if (file.Changed() || event == ProcessEvents::Event::kReload) {
      status.NotifyReloading();
      exporter.Reload();
      status.NotifyReady();
    }
  }
}

}  // namespace

int RunDaemon(const DaemonOptions& options, Exporter::Environment environment,
              ProcessEvents& events, ServiceStatus& status) {
  ConfigOutcome loaded = LoadConfigFor(options);
  for (const std::string& error : loaded.errors) {
    std::cerr << "error: " << error << "\n";
  }
  if (!loaded.config) return kExitUsage;
  if (options.check_only) {
    for (const std::string& warning : loaded.config->warnings) {
      std::cerr << "warning: " << warning << "\n";
    }
    std::cout << options.config_file << ": good, "
              << loaded.config->groups.size() << " groups, "
              << loaded.config->pairs.size() << " pairs\n";
    return kExitSuccess;
  }

  ConfigureLog(options.log_level, options.log_format);
  for (const std::string& warning : loaded.config->warnings) {
    Log(LogLevel::kWarn, "configuration", {{"warning", warning}});
  }
  environment.load_config = [&options] { return LoadConfigFor(options); };
  auto exporter = Exporter::Create(*loaded.config, std::move(environment));
  if (!exporter.ok()) {
    Log(LogLevel::kError, "cannot start",
        {{"error", exporter.error().message}});
    FlushLog();
    return kExitFailure;
  }
  if (const Status dropped = DropPrivileges(); !dropped.ok()) {
    Log(LogLevel::kError, "cannot start", {{"error", dropped.error().message}});
    FlushLog();
    return kExitFailure;
  }
  exporter.value()->Start();
  for (const std::string& url : exporter.value()->Urls()) {
    Log(LogLevel::kInfo, "serving", {{"url", url}});
  }
  status.NotifyReady();
  const auto watch =
      status.Watch([&exporter] { return exporter.value()->HeldUpFor(); });
  ReloadUntilStop(options, *exporter.value(), events, status);
  status.NotifyStopping();
  exporter.value()->Stop();
  FlushLog();
  // Not by returning: destructors wait for lookups under way, and the system's
  // resolver can neither be told to stop nor be relied on to come back soon.
  // All that matters was done by Stop(): requests have their outcomes, scrapes
  // their answers, and the log is written.
  std::_Exit(kExitSuccess);
}

}  // namespace echo_exporter
