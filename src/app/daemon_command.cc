#include "src/app/daemon_command.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "echo_exporter/echo_transport.h"
#include "src/app/file_watch.h"
#include "src/base/log.h"
#include "src/service/privileges.h"

namespace echo_exporter {

namespace {

// How soon a change of the file that was noticed is looked at again.
constexpr Nanoseconds kSettlingTime = std::chrono::seconds(1);

ConfigPlatform Platform() { return {.sets_tos = EchoTransportSetsTos()}; }

// The command line takes precedence over the file.
ConfigOutcome Complete(ConfigOutcome loaded, const DaemonOptions& options) {
  if (loaded.config && !options.listen_addresses.empty()) {
    loaded.config->listen_addresses = options.listen_addresses;
  }
  return loaded;
}

ConfigOutcome LoadConfigFor(const DaemonOptions& options, ConfigMedium medium) {
  return Complete(LoadConfig(options.config_file, Platform(), medium), options);
}

// Reports why the daemon does not start: in the log of a service, else on the
// console.
void ReportStartFailure(const std::string& error, const ServiceStatus& status) {
  if (status.HasNoConsole()) {
    Log(LogLevel::kError, "cannot start", {{"error", error}});
  } else {
    std::cerr << error << "\n";
  }
}

WebSecurityOutcome OpenWebSecurity(const std::string& file) {
  return file.empty() ? WebSecurityOutcome() : WebSecurity::Open(file);
}

void ConfigureLogFor(LogOptions log, const ServiceStatus& status) {
  log.no_console = status.HasNoConsole();
  ConfigureLog(log);
}

int FailToStart(const Error& error) {
  Log(LogLevel::kError, "cannot start", {{"error", error.message}});
  FlushLog();
  return kExitFailure;
}

int ReportCheck(const DaemonOptions& options, const ExporterConfig& config) {
  for (const std::string& warning : config.warnings) {
    std::cerr << "warning: " << warning << "\n";
  }
  const auto plural = [](std::size_t n) { return n == 1 ? "" : "s"; };
  std::cout << options.config_file << ": OK (" << config.groups.size()
            << " group" << plural(config.groups.size()) << ", "
            << config.pairs.size() << " pair" << plural(config.pairs.size())
            << ")\n";
  return kExitSuccess;
}

std::optional<Nanoseconds> TimeToLook(const DaemonOptions& options,
                                      const FileWatch& file) {
  if (!options.auto_reload || !file.unsettled()) return options.auto_reload;
  return std::min(*options.auto_reload, kSettlingTime);
}

// Returns when the process is to stop.
void ReloadUntilStop(const DaemonOptions& options, FileWatch& file,
                     Exporter& exporter, ProcessEvents& events,
                     ServiceStatus& status) {
  for (;;) {
    const auto event = events.WaitFor(TimeToLook(options, file));
    if (event == ProcessEvents::Event::kStop) return;
    if (event == ProcessEvents::Event::kReload) {
      status.NotifyReloading();
      // Before it is read, so that a change in between is noticed.
      file.MarkSeen();
      exporter.Reload();
      status.NotifyReady();
    } else if (const auto text = file.Look()) {
      status.NotifyReloading();
      exporter.ReloadChanged(Complete(
          ParseConfigFile(*text, options.config_file, Platform()), options));
      status.NotifyReady();
    }
  }
}

}  // namespace

int RunDaemon(const DaemonOptions& options, Exporter::Environment environment,
              ProcessEvents& events, ServiceStatus& status) {
  ConfigureLogFor(options.log, status);
  // Before the file is read, so that the first check detects changes from here
  // on.
  FileWatch file(options.config_file);
  ConfigOutcome loaded = LoadConfigFor(options, ConfigMedium::kFileOrPipe);
  WebSecurityOutcome web = OpenWebSecurity(options.web_config_file);
  for (const auto* const errors : {&loaded.errors, &web.errors}) {
    for (const std::string& error : *errors) {
      ReportStartFailure("error: " + error, status);
    }
  }
  if (!loaded.config || !web.errors.empty()) {
    FlushLog();
    return kExitUsage;
  }
  loaded.config->warnings.insert(loaded.config->warnings.end(),
                                 web.warnings.begin(), web.warnings.end());
  if (options.check_only) return ReportCheck(options, *loaded.config);

  for (const std::string& warning : loaded.config->warnings) {
    Log(LogLevel::kWarn, "configuration", {{"warning", warning}});
  }
  environment.web_security = std::move(web.security);
  environment.web_place = options.web_place;
  environment.load_config = [&options] {
    return LoadConfigFor(options, ConfigMedium::kFile);
  };
  auto exporter = Exporter::Create(*loaded.config, environment);
  if (!exporter.ok()) return FailToStart(exporter.error());
  const Status dropped =
      DropPrivileges({.raw_sockets = exporter.value()->NeedsRawSockets()});
  if (!dropped.ok()) {
    return FailToStart(dropped.error());
  }
  exporter.value()->Start();
  for (const std::string& url : exporter.value()->Urls()) {
    Log(LogLevel::kInfo, "serving", {{"url", url}});
  }
  status.NotifyReady();
  // Never destroyed: that would wait for lookups in progress. Stop() does
  // everything necessary: requests get their outcomes, scrapes their responses.
  Exporter& running = *exporter.value().release();
  const auto watch = status.Watch([&running] { return running.HeldUpFor(); });
  ReloadUntilStop(options, file, running, events, status);
  status.NotifyStopping();
  running.Stop();
  FlushLog();
  return kExitSuccess;
}

int RefuseToStart(const ImmediateExit& exit, const ServiceStatus& status) {
  ConfigureLogFor({}, status);
  ReportStartFailure(exit.text, status);
  FlushLog();
  return exit.code;
}

}  // namespace echo_exporter
