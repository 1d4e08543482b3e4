#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/http_server.h"
#include "src/base/exit_code.h"
#include "src/base/log.h"
#include "src/service/service_command.h"

namespace echo_exporter {

/// `echo_exporter ping`.
struct PingOptions {
  std::string destination;      ///< an address or a host name
  std::string source = "auto";  ///< "auto", an address or an adapter's name
  std::uint32_t count = 4;      ///< 0: until Ctrl-C
  Nanoseconds interval = std::chrono::seconds(1);  ///< 10 ms .. 1 h
  EchoSettings echo;
};

/// `echo_exporter password`.
struct PasswordOptions {
  std::uint16_t cost = 10;  ///< of bcrypt, 4 .. 18
};

/// `echo_exporter` without a command: the daemon.
struct DaemonOptions {
  std::string config_file = "echo_exporter.toml";
  bool config_file_is_default = true;  ///< not given
  /// Instead of a file, if not empty: see ReadTargets().
  std::vector<std::string> targets;
  std::string web_config_file;  ///< empty: plain HTTP for everyone
  WebPlace web_place;
  bool check_only = false;
  /// Reload the configuration when a file of it changes, checking this often;
  /// absent: on request only.
  std::optional<Nanoseconds> auto_reload;
  /// Replace the configuration's addresses when not empty.
  std::vector<ListenAddress> listen_addresses;
  Nanoseconds timeout_offset = std::chrono::milliseconds(500);  ///< 0 .. 60 s
  LogOptions log;
};

/// Nothing to run: print `text` and exit with `code`.
struct ImmediateExit {
  int code = kExitSuccess;
  std::string text;  ///< for standard output when code is 0, else for error
};

using CommandLine = std::variant<DaemonOptions, PingOptions, PasswordOptions,
                                 ServiceOptions, ImmediateExit>;

/// Parses the program's arguments. An error becomes an ImmediateExit with
/// kExitUsage and a sentence. Never throws. Pure, except that `service install`
/// reads the working folder.
CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace echo_exporter
