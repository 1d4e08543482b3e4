#include "scripted_network_options_linux.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <span>
#include <string_view>
#include <system_error>

namespace echo_exporter::scripted_network {
namespace {

int ParseNumber(const char* option, std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low ||
      value > high) {
    throw UsageError(std::string(option) + ": '" + std::string(text) +
                     "' is not a number from " + std::to_string(low) + " to " +
                     std::to_string(high));
  }
  return value;
}

std::string ParseDevice(const std::string& name) {
  const bool is_valid =
      !name.empty() && name.size() < IFNAMSIZ && name[0] != '-' &&
      name[0] != '.' && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) || c == '-' || c == '_' || c == '.';
      });
  if (is_valid) return name;
  throw UsageError("--device: '" + name +
                   "' is not a name of 1 to 15 letters, digits, '-', '_', '.'");
}

/// Copies the prefix of `text`, "<address>/<8 * prefix.size()>", to `prefix`;
/// false when it is something else or has bits set behind the prefix.
bool ParsePrefix(const std::string& text, int family,
                 std::span<std::uint8_t> prefix) {
  const std::string suffix = "/" + std::to_string(8 * prefix.size());
  std::array<std::uint8_t, 16> bytes{};
  if (!text.ends_with(suffix)) return false;
  const std::string address = text.substr(0, text.size() - suffix.size());
  if (inet_pton(family, address.c_str(), bytes.data()) != 1) return false;
  const auto host_bits = std::span(bytes).subspan(prefix.size());
  if (std::ranges::any_of(host_bits, [](auto byte) { return byte != 0; })) {
    return false;
  }
  std::copy_n(bytes.begin(), prefix.size(), prefix.begin());
  return true;
}

void ParseIpv4Prefix(const std::string& text, AddressPlan& plan) {
  auto& prefix = plan.ipv4_prefix;
  if (ParsePrefix(text, AF_INET, prefix) && prefix[0] >= 1 &&
      prefix[0] <= 223 && prefix[0] != 127) {
    return;
  }
  throw UsageError("--prefix: '" + text +
                   "' is not a unicast IPv4 prefix such as 10.213.0.0/16");
}

void ParseIpv6Prefix(const std::string& text, AddressPlan& plan) {
  auto& prefix = plan.ipv6_prefix;
  if (ParsePrefix(text, AF_INET6, prefix) &&
      ((prefix[0] & 0xe0) == 0x20 || (prefix[0] & 0xfe) == 0xfc)) {
    return;
  }
  throw UsageError("--prefix6: '" + text +
                   "' is not a global or unique local IPv6 prefix such as "
                   "fd00:213::/64");
}

}  // namespace

std::optional<Options> ParseOptions(int argc, char** argv) {
  enum { kDevice = 1, kPrefix, kPrefix6, kNoIpv6, kMtu, kLate, kStats, kHelp };
  const option long_options[] = {
      {"device", required_argument, nullptr, kDevice},
      {"prefix", required_argument, nullptr, kPrefix},
      {"prefix6", required_argument, nullptr, kPrefix6},
      {"no-ipv6", no_argument, nullptr, kNoIpv6},
      {"mtu", required_argument, nullptr, kMtu},
      {"late-ms", required_argument, nullptr, kLate},
      {"stats", required_argument, nullptr, kStats},
      {"help", no_argument, nullptr, kHelp},
      {nullptr, 0, nullptr, 0}};
  Options options;
  for (;;) {
    const int choice = getopt_long(argc, argv, "", long_options, nullptr);
    if (choice == -1) break;
    if (choice == '?') throw UsageError("see --help");
    if (choice == kHelp) return std::nullopt;
    if (choice == kDevice) options.device = ParseDevice(optarg);
    if (choice == kPrefix) ParseIpv4Prefix(optarg, options.plan);
    if (choice == kPrefix6) ParseIpv6Prefix(optarg, options.plan);
    if (choice == kNoIpv6) options.ipv6 = false;
    if (choice == kMtu) options.mtu = ParseNumber("--mtu", optarg, 1280, 65535);
    if (choice == kLate) {
      options.plan.late = std::chrono::milliseconds(
          ParseNumber("--late-ms", optarg, 1, 600'000));
    }
    if (choice == kStats) options.stats_file = optarg;
  }
  if (optind < argc) {
    throw UsageError("unexpected argument '" + std::string(argv[optind]) + "'");
  }
  return options;
}

std::string HelpText() {
  return "usage: scripted_network [option]...\n"
         "Answers ICMP echo requests on a TUN device as the addresses say.\n\n"
         "  --device NAME   TUN device to create (default echonet0)\n"
         "  --prefix P/16   IPv4 prefix (default 10.213.0.0/16)\n"
         "  --prefix6 P/64  IPv6 prefix (default fd00:213::/64)\n"
         "  --no-ipv6       leave IPv6 out\n"
         "  --mtu N         MTU of the device, 1280..65535 (default 65535);\n"
         "                  larger requests arrive in fragments: no answer\n"
         "  --late-ms N     delay of 'late', 1..600000 (default 3000)\n"
         "  --stats FILE    JSON, at the start, on SIGUSR1 and at the end\n"
         "  --help          this text\n\n"
         "Prints \"ready\" when the device is up; ends on SIGTERM or SIGINT.\n"
         "Exit code: 0, 1 on failure, 2 on a wrong command line.\n\n"
         "Addresses: 10.213.B.P and fd00:213::B:P, both with decimal digits.\n"
         "   B  answer\n" +
         AddressPlanTable();
}

}  // namespace echo_exporter::scripted_network
