#include "src/app/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <utility>

#include "echo_exporter/version.h"
#include "src/base/duration.h"

namespace echo_exporter {
namespace {

// Marks options whose values are paths.
constexpr char kFileType[] = "FILE";

// Options are read as text and converted by our own functions, so that a
// command line and a configuration file take the same notations.
struct RawOptions {
  std::vector<std::string> listen_addresses;
  bool auto_reload = false;
  std::string auto_reload_interval = "30s";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string interval = "1s";
  std::string timeout = "1s";
};

CLI::Validator DurationBetween(Nanoseconds least, Nanoseconds most) {
  const std::string range =
      FormatDuration(least) + " .. " + FormatDuration(most);
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        const auto duration = ParseDuration(text);
        if (duration && *duration >= least && *duration <= most) return "";
        return "must be a duration in " + range +
               " such as 250ms, 1s or 1m, not " + text;
      },
      range);
}

CLI::Validator IsListenAddress() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const auto address = ParseListenAddress(text);
        return address.ok() ? "" : address.error().message;
      },
      "HOST:PORT");
}

void AddDaemonOptions(CLI::App& app, DaemonOptions& options, RawOptions& raw) {
  app.add_option("--config.file", options.config_file, "Configuration file")
      ->type_name(kFileType)
      ->capture_default_str();
  app.add_flag("--config.check", options.check_only,
               "Check the configuration files and exit");
  app.add_flag("--config.enable-auto-reload", raw.auto_reload,
               "Reload the configuration when its file has changed");
  app.add_option("--config.auto-reload-interval", raw.auto_reload_interval,
                 "Time between looks at the configuration file")
      ->check(DurationBetween(std::chrono::seconds(1), std::chrono::hours(24)))
      ->capture_default_str();
  app.add_option("--web.listen-address", raw.listen_addresses,
                 "Address to serve on, instead of the configuration's; may be "
                 "given more than once")
      ->take_all()
      ->allow_extra_args(false)
      ->check(IsListenAddress());
  app.add_option("--web.config.file", options.web_config_file,
                 "File with TLS and authentication settings, in the format of "
                 "Prometheus's exporters")
      ->type_name(kFileType);
  app.add_option("--log.level", raw.log_level, "Least severe level to log")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  app.add_option("--log.format", raw.log_format, "Format of log lines")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->capture_default_str();
  app.add_option("--log.file", options.log.file,
                 "Write the log to this file, not to standard error")
      ->type_name(kFileType);
  app.add_option("--log.file.max-size", options.log.max_file_size,
                 "Size of the log file from which on a new one is begun")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(CLI::Range(std::uint64_t{1} << 10, std::uint64_t{1} << 40))
      ->default_str("100MiB");
  app.add_option("--log.file.keep", options.log.kept_files,
                 "Old log files that stay besides the current one")
      ->check(CLI::Range(0U, 1000U))
      ->capture_default_str();
}

void Finish(const RawOptions& raw, DaemonOptions& options) {
  // The validators have accepted all of these.
  for (const std::string& text : raw.listen_addresses) {
    options.listen_addresses.push_back(ParseListenAddress(text).value());
  }
  if (raw.auto_reload) {
    options.auto_reload = *ParseDuration(raw.auto_reload_interval);
  }
  options.log.level = *ParseLogLevel(raw.log_level);
  options.log.format = *ParseLogFormat(raw.log_format);
}

CLI::App* AddPing(CLI::App& app, PingOptions& options, RawOptions& raw) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  CLI::App* const ping = app.add_subcommand(
      "ping", "Send echo requests and print what becomes of each");
  ping->add_option("destination", options.destination,
                   "Address or host name to send to")
      ->required();
  ping->add_option("--source", options.source,
                   "Address or adapter name to send from")
      ->capture_default_str();
  ping->add_option("--count", options.count,
                   "Echo requests to send; 0: until Ctrl-C")
      ->check(CLI::Range(0U, 1000000000U))
      ->capture_default_str();
  ping->add_option("--interval", raw.interval, "Time between echo requests")
      ->check(DurationBetween(milliseconds(10), hours(1)))
      ->capture_default_str();
  ping->add_option("--timeout", raw.timeout, "Time to wait for each reply")
      ->check(DurationBetween(milliseconds(1), seconds(60)))
      ->capture_default_str();
  ping->add_option("--size", options.echo.payload_size, "Payload in bytes")
      ->check(CLI::Range(0, 65500))
      ->capture_default_str();
  ping->add_option("--ttl", options.echo.ttl, "Time to live (hop limit)")
      ->check(CLI::Range(1, 255))
      // Taken from the variable, an octet would be shown as a character.
      ->default_str(std::to_string(options.echo.ttl));
  return ping;
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

// The arguments of a service: all options that were given, and the
// configuration file in any case, as services start in a folder of the system.
std::vector<std::string> DaemonArguments(const CLI::App& app,
                                         const DaemonOptions& daemon) {
  std::vector<std::string> arguments = {"--config.file=" +
                                        AbsolutePath(daemon.config_file)};
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || name == "--config.file") continue;
    for (const std::string& value : option->reduced_results()) {
      const bool is_path = option->get_type_name() == kFileType;
      arguments.push_back(name + "=" + (is_path ? AbsolutePath(value) : value));
    }
  }
  return arguments;
}

// Options of the daemon may stand before and behind `service install`.
CLI::App* AddService(CLI::App& app, ServiceOptions& options) {
  using Action = ServiceOptions::Action;
  CLI::App* const service =
      app.add_subcommand("service", "Install and control the Windows service");
  service->require_subcommand(1);
  service->excludes(app.get_option("--config.check"));
  const auto add = [&](const char* name, Action action, const char* text) {
    return service->add_subcommand(name, text)->callback([&options, action] {
      options.action = action;
    });
  };
  add("install", Action::kInstall,
      "Install the service; it starts with the options given here")
      ->fallthrough();
  add("uninstall", Action::kUninstall, "Stop and remove the service");
  add("start", Action::kStart, "Start the service");
  add("stop", Action::kStop, "Stop the service");
  add("reload", Action::kReload, "Have it read its configuration again");
  add("status", Action::kStatus, "Print the state of the service");
  add("configure", Action::kConfigure,
      "Complete a service that an installer has made");
  service->fallthrough();  // now: those above would inherit it
  return service;
}

std::string VersionText() {
  return "echo_exporter, version " + std::string(kVersion) + " (revision " +
         std::string(kRevision) + ", " + std::string(kCompiler) + ")\n";
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app(
      "Prometheus exporter that measures round-trip time and loss between many "
      "sources and destinations with ICMP echo requests.",
      "echo_exporter");
  DaemonOptions daemon;
  PingOptions ping;
  RawOptions raw;
  bool version = false;
  AddDaemonOptions(app, daemon, raw);
  app.add_flag("--version", version, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  const CLI::App* const ping_command = AddPing(app, ping, raw);
  ServiceOptions service;
  const CLI::App* const service_command = AddService(app, service);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return ImmediateExit{kExitSuccess, app.help()};
  } catch (const CLI::ParseError& error) {
    return ImmediateExit{kExitUsage,
                         std::string("echo_exporter: ") + error.what() +
                             "\nRun echo_exporter --help for what is allowed."};
  }
  if (version) return ImmediateExit{kExitSuccess, VersionText()};

  if (service_command->parsed()) {
    if (service.action == ServiceOptions::Action::kInstall) {
      service.daemon_arguments = DaemonArguments(app, daemon);
    }
    return service;
  }
  // The validators have accepted all of these.
  if (ping_command->parsed()) {
    ping.interval = *ParseDuration(raw.interval);
    ping.echo.timeout = *ParseDuration(raw.timeout);
    return ping;
  }
  Finish(raw, daemon);
  return daemon;
}

}  // namespace echo_exporter
