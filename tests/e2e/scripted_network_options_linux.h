/// The command line of the scripted network.

#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "scripted_network_plan.h"

namespace echo_exporter::scripted_network {

struct Options {
  std::string device = "echonet0";
  AddressPlan plan;
  bool ipv6 = true;
  int mtu = 65535;
  std::string stats_file;  ///< Empty: no statistics are written.
};

/// A command line that --help would have prevented.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The options of a command line, all of them valid; nothing for --help.
/// Throws UsageError.
std::optional<Options> ParseOptions(int argc, char** argv);

/// What --help prints.
std::string HelpText();

}  // namespace echo_exporter::scripted_network
