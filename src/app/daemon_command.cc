#include "src/app/daemon_command.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "echo_exporter/echo_transport.h"
#include "src/app/file_watch.h"
#include "src/base/host_name.h"
#include "src/base/log.h"
#include "src/probe/target_policy.h"
#include "src/service/service.h"

namespace echo_exporter {

namespace {

// The longest timeout of a request, and what the transport allows the system
// beyond it, with some margin.
constexpr auto kSystemPatience = std::chrono::seconds(65);
constexpr auto kPollInterval = std::chrono::milliseconds(50);

// How soon a change of the file that was noticed is looked at again.
constexpr Nanoseconds kSettlingTime = std::chrono::seconds(1);

constexpr Nanoseconds kUnaskedInterval = std::chrono::seconds(30);

ConfigPlatform Platform() {
  return {.sets_tos = kEchoTransportTraits.sets_tos,
          .max_in_flight = kEchoTransportTraits.max_in_flight,
          .sets_identifier = kEchoTransportTraits.sets_identifier,
          .hostname = OwnHostName()};
}

ConfigFiles ReadFiles(const DaemonOptions& options, ConfigMedium medium) {
  return options.targets.empty() ? ReadConfigFiles(options.config_file, medium)
                                 : ReadTargets(options.targets);
}

// Whoever can change one of these files rules a service that runs when nobody
// watches: whom it lets in, whom it probes. On a console its user decides.
void CheckProtection(const std::vector<std::string>& files,
                     const ServiceStatus& status, ConfigErrors* errors) {
  if (!status.HasNoConsole()) return;
  const auto found = FindUnprotected(files);
  errors->insert(errors->end(), found.begin(), found.end());
}

ConfigOutcome Load(const ConfigFiles& files, const DaemonOptions& options,
                   const ServiceStatus& status) {
  ConfigOutcome loaded = ParseConfigFiles(files, Platform());
  if (!files.main.text.ok() && options.config_file_is_default &&
      options.targets.empty()) {
    loaded.errors.front() +=
        "; name another file by --config.file, or what to probe by --target";
  }
  // Whoever can add a file to a folder that is included is its owner.
  CheckProtection(files.paths, status, &loaded.errors);
  if (!loaded.errors.empty()) {
    loaded.config.reset();
  } else if (!options.listen_addresses.empty()) {
    // The command line takes precedence over the file.
    loaded.config->listen_addresses = options.listen_addresses;
  }
  return loaded;
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

// A service that has reported its end still runs for as long as the system
// waits for its requests, which cannot be cancelled everywhere: its files are
// in use until then. So it ends only when they do.
void AwaitSystem(const Exporter& exporter, const ServiceStatus& status) {
  if (!status.HasNoConsole()) return;
  const auto deadline = std::chrono::steady_clock::now() + kSystemPatience;
  while (exporter.InFlight() > 0 &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kPollInterval);
  }
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

int ReportCheck(const ConfigFiles& files, const ExporterConfig& config,
                const std::vector<std::string>& web_warnings) {
  for (const auto* const warnings : {&config.warnings, &web_warnings}) {
    for (const std::string& warning : *warnings) {
      std::cerr << "warning: " << warning << "\n";
    }
  }
  const auto plural = [](std::size_t n) { return n == 1 ? "" : "s"; };
  std::cout << files.main.path << ": OK (" << config.groups.size() << " group"
            << plural(config.groups.size()) << ", " << config.pairs.size()
            << " pair" << plural(config.pairs.size()) << ")\n";
  for (const std::string& path : files.paths) {
    if (path != files.main.path) std::cout << path << ": OK\n";
  }
  return kExitSuccess;
}

bool IsPublic(const ListenAddress& listener) {
  if (listener.host.empty()) return true;
  const auto address = IpAddress::Parse(listener.host);
  return address ? !address->IsLoopback() : listener.host != "localhost";
}

// Warnings of a configuration that is valid everywhere, which depend on this
// machine and the other options.
void AddWarningsOfThisMachine(const DaemonOptions& options,
                              const std::string& config_file,
                              AddressLookup& lookup, ExporterConfig* config) {
  const auto warn = [&](const std::string& text) {
    config->warnings.push_back(config_file + ": " + text);
  };
  for (const auto& [name, source] : config->sources) {
    if (source.kind != SourceConfig::Kind::kInterface) continue;
    const auto found = lookup.InterfaceAddresses(source.interface_name);
    if (!found.ok() && found.error().code == ErrorCode::kNotFound) {
      warn("[sources]: " + name + ": " + found.error().message);
    }
  }
  const ProbeConfig& probe = config->probe;
  if (probe.enabled && options.web_config_file.empty() &&
      ClassifyTarget(probe, "any.invalid") == TargetVerdict::kAllowed &&
      std::ranges::any_of(config->listen_addresses, IsPublic)) {
    warn(
        "[probe]: whoever reaches this machine may have it probe any target by "
        "/probe; set allow_destinations, allowed_targets or enabled = false, "
        "or "
        "serve 127.0.0.1 only");
  }
}

std::optional<Nanoseconds> TimeToLook(const DaemonOptions& options,
                                      const FileWatch& file) {
  if (!options.auto_reload || !file.unsettled()) return options.auto_reload;
  return std::min(*options.auto_reload, kSettlingTime);
}

// Tells the system that a reload is in progress, for as long as this lives.
class Reloading {
 public:
  explicit Reloading(ServiceStatus& status) : status_(status) {
    status_.NotifyReloading();
  }
  ~Reloading() { status_.NotifyReady(); }
  Reloading(const Reloading&) = delete;
  Reloading& operator=(const Reloading&) = delete;

 private:
  ServiceStatus& status_;
};

// The next event; absent when there was none for `duration`.
std::optional<ProcessEvents::Event> AwaitEvent(
    ProcessEvents& events, const std::optional<Nanoseconds>& duration,
    Exporter& exporter) {
  const Clock& clock = Clock::System();
  const SteadyTime until =
      duration ? clock.Now() + *duration : SteadyTime::max();
  for (;;) {
    const auto event = events.WaitFor(
        std::clamp(until - clock.Now(), Nanoseconds::zero(), kUnaskedInterval));
    exporter.EndUnaskedPairs();
    if (event || clock.Now() >= until) return event;
  }
}

// Returns when the process is to stop.
void ReloadUntilStop(const DaemonOptions& options, FileWatch& file,
                     Exporter& exporter, ProcessEvents& events,
                     ServiceStatus& status) {
  bool asked = false;
  for (;;) {
    const auto event = AwaitEvent(events, TimeToLook(options, file), exporter);
    if (event == ProcessEvents::Event::kStop) return;
    asked = asked || event == ProcessEvents::Event::kReload;
    try {
      if (asked) {
        // Before it is read, so that a change in between is noticed.
        file.MarkSeen();
        const Reloading reloading(status);
        exporter.Reload();
        asked = false;
      } else if (const auto files = file.Look()) {
        const Reloading reloading(status);
        exporter.ReloadChanged(Load(*files, options, status));
      }
    } catch (const std::exception&) {
      // No memory to read the file: at the next event, or look at it.
      file.Forget();
    }
  }
}

}  // namespace

int RunDaemon(const DaemonOptions& options, Exporter::Environment environment,
              ProcessEvents& events, ServiceStatus& status) {
  ConfigureLogFor(options.log, status);
  // Before the files are read, so that the first check detects changes from
  // here on.
  FileWatch watched(
      [&options] { return ReadFiles(options, ConfigMedium::kFile); });
  std::optional<ConfigFiles> files =
      ReadFiles(options, ConfigMedium::kFileOrPipe);
  ConfigOutcome loaded = Load(*files, options, status);
  WebSecurityOutcome web = OpenWebSecurity(options.web_config_file);
  std::vector<std::string> errors = std::move(loaded.errors);
  errors.insert(errors.end(), web.errors.begin(), web.errors.end());
  CheckProtection(web.files, status, &errors);
  for (const std::string& error : errors) {
    ReportStartFailure("error: " + error, status);
  }
  if (!errors.empty()) {
    FlushLog();
    return kExitUsage;
  }
  AddWarningsOfThisMachine(options, files->main.path, *environment.lookup,
                           &*loaded.config);
  if (options.check_only) {
    return ReportCheck(*files, *loaded.config, web.warnings);
  }
  LogEach(LogLevel::kWarn, "web configuration", "warning", web.warnings);

  environment.probe_timeout_offset = options.timeout_offset;
  environment.web_security = std::move(web.security);
  environment.web_place = options.web_place;
  environment.hostname = OwnHostName();
  environment.load_config = [&options, &status] {
    return Load(ReadFiles(options, ConfigMedium::kFile), options, status);
  };
  files.reset();  // which may be large
  auto exporter = Exporter::Create(std::move(*loaded.config), environment);
  if (!exporter.ok()) return FailToStart(exporter.error());
  // Never destroyed: that would wait for lookups in progress. Stop() does
  // everything necessary: requests get their outcomes, scrapes their responses.
  Exporter& running = *exporter.value().release();
  const Status dropped =
      DropPrivileges({.raw_sockets = running.NeedsRawSockets()});
  if (!dropped.ok()) return FailToStart(dropped.error());
  running.Start();
  for (const std::string& url : running.Urls()) {
    Log(LogLevel::kInfo, "serving", {{"url", url}});
  }
  status.NotifyReady();
  const auto watch = status.Watch([&running] { return running.HeldUpFor(); });
  ReloadUntilStop(options, watched, running, events, status);
  status.NotifyStopping();
  running.Stop();
  AwaitSystem(running, status);
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
