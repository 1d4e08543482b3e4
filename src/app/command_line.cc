#include "src/app/command_line.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "echo_exporter/version.h"
#include "src/app/option_checks.h"
#include "src/app/text_columns.h"
#include "src/base/duration.h"

namespace echo_exporter {
namespace {

// Marks options whose values are paths.
constexpr char kFileType[] = "FILE";

constexpr char kDescription[] =
    R"(Prometheus exporter that measures packet loss and round-trip time between many
sources and destinations with ICMP echo requests. Without a command it runs the
exporter until it is stopped.)";
constexpr char kFooter[] =
    R"(A DURATION is a number with a unit, such as 250ms, 30s or 1h30m.
'echo_exporter COMMAND --help' describes a command.)";
constexpr char kPingFooter[] =
    R"(A TIME is a plain number of seconds such as 0.2, or a duration such as 200ms.

The short options are those of ping on Linux, on every system. Users of ping on
Windows write -c 4 instead of -n 4, -c 0 instead of -t, -s 100 instead of -l
100, -t 64 instead of -i 64, -W 0.5 instead of -w 500, and -I instead of -S.)";

// Options are read as text and converted by our own functions, so that the
// command line and the configuration file accept the same notations.
struct RawOptions {
  std::vector<std::string> listen_addresses;
  std::string external_url;
  std::optional<std::string> route_prefix;
  bool auto_reload = false;
  std::string auto_reload_interval = "30s";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string timeout_offset = "500ms";
  std::string interval = "1s";
  std::string timeout = "1s";
  std::vector<std::string> destinations;
  bool ipv4_only = false;
  bool ipv6_only = false;
  bool numeric = false;
};

// Ranges and defaults are part of the descriptions.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "COMMAND");
  }

  std::string make_description(const CLI::App* app) const override {
    return app->get_description() + "\n\n";
  }

  std::string make_option(const CLI::Option* option,
                          bool is_positional) const override {
    std::string term = option->get_name(is_positional, !is_positional);
    if (const auto comma = term.find(','); comma != std::string::npos) {
      term.insert(comma + 1, " ");
    }
    const std::string value = option->get_type_name();
    if (!is_positional && !value.empty()) term += " " + value;
    return TextColumns(term, option->get_description());
  }

  std::string make_subcommand(const CLI::App* command) const override {
    return TextColumns(command->get_name(), command->get_description());
  }

  std::string make_option_usage(const CLI::Option* option) const override {
    return option->get_name();
  }
};

CLI::Validator Valid(OptionCheck check) {
  return CLI::Validator(std::move(check), "");
}

void AddLogOptions(CLI::App& app, DaemonOptions& options, RawOptions& raw) {
  app.add_option("--log.level", raw.log_level,
                 "Minimum log level: debug, info, warn or error (default: "
                 "info)")
      ->type_name("LEVEL")
      ->transform(Valid(IsOneOf({"debug", "info", "warn", "error"})));
  app.add_option("--log.format", raw.log_format,
                 "Format of log lines: logfmt or json (default: logfmt)")
      ->type_name("FORMAT")
      ->transform(Valid(IsOneOf({"logfmt", "json"})));
  app.add_option("--log.file", options.log.file,
                 "Write the log to this file (default: standard error; for a "
                 "Windows service, the event log)")
      ->type_name(kFileType);
  app.add_option("--log.file.max-size", options.log.max_file_size,
                 "Rotate the log file at this size, from 1KiB to 1TiB "
                 "(default: 100MiB)")
      ->type_name("SIZE")
      ->transform(Valid(IsFileSize()));
  app.add_option("--log.file.keep", options.log.kept_files,
                 "Rotated log files to keep, from 0 to 1000 (default: 3)")
      ->type_name("N")
      ->transform(Valid(IsWholeNumber(0, 1000)));
}

void AddDaemonOptions(CLI::App& app, DaemonOptions& options, RawOptions& raw) {
  CLI::Option* const file =
      app.add_option("--config.file", options.config_file,
                     "Configuration file (default: echo_exporter.toml)")
          ->type_name(kFileType);
  app.add_option("--target", options.targets,
                 "Address, host name or prefix to probe, with the defaults and "
                 "without a configuration file; @FILE: those in a file, one a "
                 "line; may be repeated")
      ->type_name("HOST")
      ->take_all()
      ->allow_extra_args(false)
      ->excludes(file);
  app.add_flag("--config.check", options.check_only,
               "Check the configuration files, print every error, and exit");
  app.add_flag("--config.enable-auto-reload", raw.auto_reload,
               "Reload the configuration when a file of it changes");
  app.add_option("--config.auto-reload-interval", raw.auto_reload_interval,
                 "Time between checks of the files for changes, from 1s to 1d "
                 "(default: 30s)")
      ->type_name("DURATION")
      ->transform(
          Valid(IsDuration(std::chrono::seconds(1), std::chrono::hours(24))));
  app.add_option("--web.listen-address", raw.listen_addresses,
                 "Address to listen on instead of those in the configuration, "
                 "such as :10115 or 127.0.0.1:10115; may be repeated")
      ->type_name("HOST:PORT")
      ->take_all()
      ->allow_extra_args(false)
      ->transform(Valid(IsListenAddress()));
  app.add_option("--web.config.file", options.web_config_file,
                 "File with TLS, authentication and rate limit settings, in "
                 "the format of Prometheus exporters (default: plain HTTP "
                 "without authentication)")
      ->type_name(kFileType);
  app.add_option("--web.external-url", raw.external_url,
                 "URL of the exporter as clients see it, such as "
                 "https://example.net/echo, if a reverse proxy is in front of "
                 "it (default: its own)")
      ->type_name("URL")
      ->transform(Valid(IsExternalUrl()));
  app.add_option("--web.route-prefix", raw.route_prefix,
                 "Beginning of the paths of all pages, such as /echo (default: "
                 "the path of --web.external-url)")
      ->type_name("PATH")
      ->transform(Valid(IsRoutePrefix()));
  app.add_option("--timeout-offset", raw.timeout_offset,
                 "How long before the scrape timeout that Prometheus tells a "
                 "probe ends, from 0s to 60s, but at most a third of it "
                 "(default: 0.5)")
      ->type_name("TIME")
      ->transform(
          Valid(IsTime(std::chrono::seconds(0), std::chrono::seconds(60))));
  AddLogOptions(app, options, raw);
}

void FinishDaemon(const RawOptions& raw, DaemonOptions& options) {
  // The validators have accepted all of these.
  for (const std::string& text : raw.listen_addresses) {
    options.listen_addresses.push_back(ParseListenAddress(text).value());
  }
  options.web_place.external_url = raw.external_url;
  options.web_place.route_prefix =
      raw.route_prefix ? *raw.route_prefix : PathOfUrl(raw.external_url);
  if (raw.auto_reload) {
    options.auto_reload = *ParseDuration(raw.auto_reload_interval);
  }
  options.timeout_offset = *ParseTime(raw.timeout_offset);
  options.log.level = *ParseLogLevel(raw.log_level);
  options.log.format = *ParseLogFormat(raw.log_format);
}

void AddPingOptions(CLI::App& ping, PingOptions& options, RawOptions& raw) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  ping.add_option("DESTINATION", raw.destinations,
                  "Address or host name to send to")
      ->required();
  ping.add_option("-c,--count", options.count,
                  "Stop after N echo requests, from 1 to 1000000000; 0: "
                  "continue until Ctrl-C (default: 4)")
      ->type_name("N")
      ->transform(Valid(IsWholeNumber(0, 1'000'000'000)));
  ping.add_option("-i,--interval", raw.interval,
                  "Time between echo requests, from 10ms to 1h (default: 1s)")
      ->type_name("TIME")
      ->transform(Valid(IsTime(milliseconds(10), hours(1))));
  ping.add_option("-W,--timeout", raw.timeout,
                  "Time to wait for each reply, from 1ms to 60s (default: 1s)")
      ->type_name("TIME")
      ->transform(Valid(IsTime(milliseconds(1), seconds(60))));
  ping.add_option("-s,--size", options.echo.payload_size,
                  "Payload in bytes, from 0 to 65500 (default: 32)")
      ->type_name("BYTES")
      ->transform(Valid(IsWholeNumber(0, 65500)));
  ping.add_option("-t,--ttl", options.echo.ttl,
                  "Time to live (IPv6: hop limit), from 1 to 255 (default: "
                  "128)")
      ->type_name("N")
      ->transform(Valid(IsWholeNumber(1, 255)));
  ping.add_option("-I,--source", options.source,
                  "Address or adapter name to send from; auto: the system "
                  "chooses (default: auto)")
      ->type_name("SOURCE");
  CLI::Option* const ipv4 = ping.add_flag("-4", raw.ipv4_only, "Use IPv4 only");
  ping.add_flag("-6", raw.ipv6_only, "Use IPv6 only")->excludes(ipv4);
  ping.add_flag("-n", raw.numeric,
                "Ignored: addresses are never turned into names. Takes no "
                "value; for the count, use -c");
}

CLI::App* AddPing(CLI::App& app, PingOptions& options, RawOptions& raw) {
  CLI::App* const ping = app.add_subcommand(
      "ping", "Send echo requests and print the result of each");
  ping->group("Commands");
  AddPingOptions(*ping, options, raw);
  ping->footer(kPingFooter);
  return ping;
}

// Absent when the options are valid.
std::optional<std::string> FinishPing(const RawOptions& raw,
                                      PingOptions& ping) {
  if (raw.destinations.size() > 1) {
    std::string error = "ping takes one DESTINATION, not " +
                        raw.destinations[0] + " and " + raw.destinations[1];
    // As on Windows, where -n takes the number of echo requests.
    if (raw.numeric) error += "; -n takes no value: for the count, use -c";
    return error;
  }
  ping.destination = raw.destinations.at(0);
  if (raw.ipv4_only) ping.echo.ip_version = IpPreference::kV4Only;
  if (raw.ipv6_only) ping.echo.ip_version = IpPreference::kV6Only;
  // The validators have accepted all of these.
  ping.interval = *ParseTime(raw.interval);
  ping.echo.timeout = *ParseTime(raw.timeout);
  return std::nullopt;
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.string();
}

// The arguments of a service: all options on the command line, and always the
// configuration file unless there are targets instead, since services start in
// a folder of the system.
std::vector<std::string> DaemonArguments(const CLI::App& app,
                                         const DaemonOptions& daemon) {
  std::vector<std::string> arguments;
  if (daemon.targets.empty()) {
    arguments.push_back("--config.file=" + AbsolutePath(daemon.config_file));
  }
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || name == "--config.file") continue;
    for (const std::string& value : option->reduced_results()) {
      const bool is_path = option->get_type_name() == kFileType;
      const bool is_list = name == "--target" && value.starts_with('@');
      arguments.push_back(name + "=" +
                          (is_path   ? AbsolutePath(value)
                           : is_list ? '@' + AbsolutePath(value.substr(1))
                                     : value));
    }
  }
  return arguments;
}

// Options of the daemon may come before and after `service install` and
// `service configure`.
CLI::App* AddService(CLI::App& app, ServiceOptions& options) {
  using Action = ServiceOptions::Action;
  CLI::App* const service =
      app.add_subcommand("service", "Install and control the Windows service");
  service->group("Commands");
  service->require_subcommand(1);
  service->excludes(app.get_option("--config.check"));
  const auto add = [&](const char* name, Action action, const char* text) {
    return service->add_subcommand(name, text)
        ->callback([&options, action] { options.action = action; })
        ->group("Commands");
  };
  add("install", Action::kInstall,
      "Install the service; it runs with the options given here")
      ->footer("Takes the options that 'echo_exporter --help' lists.")
      ->fallthrough();
  add("uninstall", Action::kUninstall, "Stop and remove the service");
  add("start", Action::kStart, "Start the service");
  add("stop", Action::kStop, "Stop the service");
  add("reload", Action::kReload, "Reload the service's configuration");
  add("status", Action::kStatus,
      "Print the state of the service; the exit code is 0 if it runs, else 1");
  add("configure", Action::kConfigure,
      "Add recovery and start settings to a service created by an installer; "
      "it runs with the options given here, if any")
      ->footer("Takes the options that 'echo_exporter --help' lists.")
      ->fallthrough();
  service->fallthrough();  // now: those above would inherit it
  return service;
}

CLI::App* AddPassword(CLI::App& app, PasswordOptions& options) {
  CLI::App* const password = app.add_subcommand(
      "password", "Print the hash of a password for --web.config.file");
  password->group("Commands");
  password
      ->add_option("--cost", options.cost,
                   "Cost of bcrypt, from 4 to 18: each step doubles the time "
                   "of a check (default: 10)")
      ->type_name("N")
      ->transform(Valid(IsWholeNumber(4, 18)));
  password->footer(
      "Asks for the password, or reads it from a line of standard input.");
  return password;
}

std::string VersionText() {
  return "echo_exporter, version " + std::string(kVersion) + " (revision " +
         std::string(kRevision) + ", " + std::string(kCompiler) + ")\n";
}

// Replaces the library's error messages that are not clear enough.
std::string Explain(const CLI::ParseError& error, bool of_service) {
  std::string text = error.what();
  const std::string kind = error.get_name();
  if (kind == "ArgumentMismatch") {
    return text.substr(0, text.find(':')) + ": exactly one value is expected";
  }
  const std::string_view verb = " excludes ";
  if (const auto at = text.find(verb);
      kind == "ExcludesError" && at != std::string::npos) {
    return text.substr(0, at) + " and " + text.substr(at + verb.size()) +
           " are mutually exclusive";
  }
  if (kind == "RequiredError" && of_service) {
    return "service needs a command: install, uninstall, start, stop, reload, "
           "status or configure";
  }
  return text;
}

ImmediateExit UsageError(const std::string& error, const std::string& command) {
  return {kExitUsage, "echo_exporter: " + error + "\nRun '" + command +
                          " --help' for usage."};
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app(kDescription, "echo_exporter");
  app.formatter(std::make_shared<HelpFormatter>());
  DaemonOptions daemon;
  PingOptions ping;
  RawOptions raw;
  bool version = false;
  AddDaemonOptions(app, daemon, raw);
  app.add_flag("--version", version, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  const CLI::App* const ping_command = AddPing(app, ping, raw);
  PasswordOptions password;
  const CLI::App* const password_command = AddPassword(app, password);
  ServiceOptions service;
  const CLI::App* const service_command = AddService(app, service);
  app.footer(kFooter);  // now: the commands would inherit it
  const auto usage_error = [&](const std::string& error) {
    return UsageError(error,
                      ping_command->parsed()       ? "echo_exporter ping"
                      : password_command->parsed() ? "echo_exporter password"
                      : service_command->parsed()  ? "echo_exporter service"
                                                   : "echo_exporter");
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return ImmediateExit{kExitSuccess, app.help()};
  } catch (const CLI::ParseError& error) {
    return usage_error(Explain(error, service_command->parsed()));
  }
  if (version) return ImmediateExit{kExitSuccess, VersionText()};

  if (service_command->parsed()) {
    const auto options = app.get_options(
        [](const CLI::Option* option) { return option->count() > 0; });
    if (service.action == ServiceOptions::Action::kInstall ||
        (service.action == ServiceOptions::Action::kConfigure &&
         !options.empty())) {
      service.daemon_arguments = DaemonArguments(app, daemon);
    }
    return service;
  }
  if (password_command->parsed()) return password;
  if (ping_command->parsed()) {
    if (const auto error = FinishPing(raw, ping)) return usage_error(*error);
    return ping;
  }
  FinishDaemon(raw, daemon);
  daemon.config_file_is_default = app.count("--config.file") == 0;
  return daemon;
}

}  // namespace echo_exporter
