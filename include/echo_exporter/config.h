#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/metrics_options.h"
#include "echo_exporter/pair.h"
#include "echo_exporter/rare_text.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// Which IP version to use for a name that has addresses of both.
enum class IpPreference : std::uint8_t {
  kAny,       ///< what the system prefers
  kV4Only,    ///< no IPv6
  kV6Only,    ///< no IPv4
  kPreferV4,  ///< IPv6 only where IPv4 is not possible
  kPreferV6,  ///< IPv4 only where IPv6 is not possible
};

constexpr bool Allows(IpPreference preference, IpVersion version) {
  return preference != (version == IpVersion::kV4 ? IpPreference::kV6Only
                                                  : IpPreference::kV4Only);
}

/// Whether addresses of `version` come before the others. Both versions are
/// equal without a preference.
constexpr bool Prefers(IpPreference preference, IpVersion version) {
  return preference == (version == IpVersion::kV4 ? IpPreference::kPreferV4
                                                  : IpPreference::kPreferV6);
}

/// Which flows a pair's requests belong to: see EchoFlow.
enum class FlowPolicy : std::uint8_t {
  kSteady,  ///< one until it keeps failing
  kFresh,   ///< each request begins its own
};

/// Parameters of every echo request of a group or of a /probe module.
struct EchoSettings {
  Nanoseconds timeout = std::chrono::seconds(1);  ///< 1 ms .. 60 s
  std::uint16_t payload_size = 32;                ///< bytes, 0 .. 65500
  std::uint8_t ttl = 128;                         ///< 1 .. 255
  std::uint8_t tos = 0;  ///< 0 .. 255; see ConfigPlatform::sets_tos
  bool dont_fragment = false;
  IpPreference ip_version = IpPreference::kAny;
  FlowPolicy flow = FlowPolicy::kSteady;

  friend bool operator==(const EchoSettings&, const EchoSettings&) = default;
};

/// A place to send from.
struct SourceConfig {
  enum class Kind : std::uint8_t {
    kAuto,       ///< the system chooses
    kAddress,    ///< `address`, or `other_address` for its IP version
    kInterface,  ///< the address of the adapter `interface_name`, followed
  };
  std::string name = "auto";  ///< as written: the `source` label
  Kind kind = Kind::kAuto;
  IpAddress address;
  std::string zone = {};  ///< of `address`: see ZonedAddress
  /// With `address`: another one, of the other IP version and without a zone.
  std::optional<IpAddress> other_address = {};
  std::string interface_name;
};

/// A place to send to: an address, or a host name when `address` is absent.
struct DestinationConfig {
  /// The `destination` label: the target as written, one address of a prefix,
  /// or a name of its own.
  std::string name;
  std::optional<IpAddress> address = {};
  RareText zone = {};  ///< of `address`: see ZonedAddress
  /// The host name, in ASCII; empty: `name`.
  RareText ascii_name = {};
  /// Besides those of the group; no name is in both.
  Labels labels = {};

  /// The name to look up. Requires that there is no address.
  const std::string& HostName() const {
    return ascii_name.empty() ? name : ascii_name.text();
  }
  /// What is probed, as text: the address, or the name to look up.
  std::string Target() const {
    return address ? ZonedAddress{*address, zone}.ToString() : HostName();
  }
  /// The same in its one spelling: names in lower case.
  std::string CanonicalTarget() const;
};

/// Target lists in files, in the format of Prometheus's file_sd.
struct FileDiscoveryConfig {
  /// Absolute paths, each with at most one "*", which is in its last segment;
  /// they end in .json, .yml or .yaml, in any case.
  std::vector<std::string> files;
  bool strip_port = false;  ///< of targets "host:port" and URLs

  friend auto operator<=>(const FileDiscoveryConfig&,
                          const FileDiscoveryConfig&) = default;
};

/// A target list that a server has, in the format of Prometheus's http_sd. It
/// names the files of its secrets, and has none of them.
struct HttpDiscoveryConfig {
  std::string url;  ///< http:// or https://, without user and fragment
  Nanoseconds refresh_interval = std::chrono::seconds(60);  ///< 5 s .. 24 h
  bool strip_port = false;  ///< as in FileDiscoveryConfig
  // The paths of files are absolute.
  std::string ca_file;    ///< empty: the system's
  std::string cert_file;  ///< this and the next: both or neither
  std::string key_file;
  std::string server_name;        ///< empty: the host in `url`
  std::string bearer_token_file;  ///< not with `username`
  std::string username;           ///< basic_auth
  std::string password_file;
  std::string proxy_url;  ///< http://host:port; empty: none

  friend auto operator<=>(const HttpDiscoveryConfig&,
                          const HttpDiscoveryConfig&) = default;
};

/// Which addresses of a name are probed.
enum class NameAddresses : std::uint8_t {
  kFirst,  ///< one, in the order of preference
  kAll,    ///< each, as a pair of its own with the label `address`
};

/// One `[[group]]`, with the defaults filled in.
struct GroupConfig {
  std::string name;
  Nanoseconds interval = std::chrono::seconds(1);      ///< 10 ms .. 1 h
  Nanoseconds dns_refresh = std::chrono::seconds(60);  ///< 1 s .. 24 h
  EchoSettings echo;
  /// After so many losses in a row, a pair goes on under another ICMP
  /// identifier, 1 .. 1,000,000; 0: never.
  std::uint32_t flow_renew_after = 3;
  /// So many losses in a row are an outage, 1 .. 1000.
  std::uint16_t outage_after = 3;
  std::vector<SourceConfig> sources;  ///< never empty
  /// Empty only where there is discovery.
  std::vector<DestinationConfig> destinations;
  std::vector<FileDiscoveryConfig> file_sd;
  std::vector<HttpDiscoveryConfig> http_sd;
  NameAddresses name_addresses = NameAddresses::kFirst;
  bool exclude_self = false;  ///< no destination that is this machine
  /// Of all destinations so many, which depend on this machine's name; 0: all.
  std::uint32_t neighbours = 0;
  Labels labels;

  bool HasLists() const { return !file_sd.empty() || !http_sd.empty(); }
  bool ExcludesSelf() const { return exclude_self || neighbours > 0; }
};

/// One pair (source, destination): indices into `groups`, and into that
/// group's `sources` and `destinations`.
struct PairConfig {
  std::uint32_t group = 0;
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
};

/// A named parameter set of /probe.
struct ModuleConfig {
  /// kContinuous: the first request begins a pair that is probed from then on.
  enum class Mode : std::uint8_t { kOnDemand, kContinuous };
  EchoSettings echo{.timeout = std::chrono::seconds(2)};
  SourceConfig source;
  Mode mode = Mode::kOnDemand;
  // Of continuous ones:
  Nanoseconds interval = std::chrono::seconds(1);  ///< 10 ms .. 1 h
  /// A pair ends when nobody asked for so long, 10 s .. 24 h.
  Nanoseconds keep = std::chrono::minutes(5);
};

/// The largest `max_concurrent`. Each probe occupies one connection of the
/// server, which must therefore allow more connections than this: enough to be
/// scraped and to reject further probes while all probes are waiting.
inline constexpr std::uint32_t kMostConcurrentProbes = 448;

struct ProbeConfig {
  bool enabled = true;
  std::uint32_t max_concurrent = 64;  ///< 1 .. kMostConcurrentProbes
  /// A destination is allowed when its address is in one of the prefixes or
  /// its name, as requested, matches one of the globs ("*.example.net", where
  /// "*" stands for any text; case is ignored), or when it is in
  /// `destinations`. All empty: any destination.
  std::vector<IpPrefix> allowed_prefixes;
  std::vector<std::string> allowed_name_globs;
  /// Whether the destinations of groups are allowed.
  bool allow_destinations = false;
  /// These, if so: addresses in their canonical text, names in lower case.
  std::unordered_set<std::string> destinations;
  /// The sources that a request may name: an address in one of the prefixes,
  /// or "auto", a name in `[sources]` or the adapter of one. Both empty: any.
  std::vector<IpPrefix> allowed_source_prefixes;
  std::vector<std::string> allowed_source_names;
  /// The most pairs of continuous modules, 0 .. 1,000,000.
  std::uint32_t max_continuous = 10'000;
  /// Per client, long-term average, 0.001 .. 1,000,000; 0: no limit.
  double requests_per_second = 0;
  std::uint32_t burst = 10;  ///< per client, at once, 1 .. 1,000,000
};

struct ListenAddress {
  std::string host;  ///< an address without brackets; empty: all interfaces
  std::uint16_t port = 0;  ///< 0: the system chooses

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// A whole configuration, checked and complete.
///
/// Immutable after construction by convention: share it as const.
struct ExporterConfig {
  std::vector<ListenAddress> listen_addresses;
  bool allow_reload = true;   ///< by POST /-/reload
  bool allow_actions = true;  ///< of the status page: a probe now
  /// Memory for the status page's history of pairs, in bytes; 0: none.
  std::uint64_t history_memory = std::uint64_t{64} * 1024 * 1024;
  /// From this loss of ten minutes on a pair is lossy, above 0 .. 1.
  double history_lossy = 0.01;
  HistogramOptions histograms;
  PairFamilySet omit;  ///< families that are not exposed; see CanBeOmitted()
  /// 1 .. 1,000,000, and no more than ConfigPlatform::max_in_flight.
  std::uint32_t max_in_flight = 4096;
  /// Whether the file has no number: it follows from the pairs.
  bool max_in_flight_is_default = true;
  /// How long Exporter::Stop() waits for requests in flight, 0 .. 60 s.
  Nanoseconds drain_timeout = std::chrono::milliseconds(1500);
  std::vector<GroupConfig> groups;  ///< may be empty: only /probe then
  std::vector<PairConfig> pairs;    ///< of all groups, in file order
  /// 1 .. 1,000,000: beyond, discovery changes nothing.
  std::uint32_t max_pairs = 100'000;
  /// Where the last good target lists are kept, an absolute path; empty:
  /// nowhere.
  std::string state_dir;
  std::map<std::string, SourceConfig> sources;  ///< `[sources]`, by name
  std::map<std::string, ModuleConfig> modules;  ///< "icmp" always exists
  ProbeConfig probe;
  /// Valid settings that are probably mistakes, each
  /// "file:line:column: sentence".
  std::vector<std::string> warnings;
};

/// All errors of a configuration, each "file:line:column: sentence", in file
/// order.
using ConfigErrors = std::vector<std::string>;

/// The settings that the operating system supports.
struct ConfigPlatform {
  /// Whether a program can set the type of service of echo requests; if not, a
  /// `tos` other than 0 causes a warning.
  bool sets_tos = true;
  /// The most requests in flight at once; a larger `engine.max_in_flight`
  /// counts as this, with a warning.
  std::size_t max_in_flight = 1'000'000;
  /// Whether it can set their identifier; if not, `flow` causes a warning.
  bool sets_identifier = true;
  /// This machine's, for "{hostname}" in labels and in the URLs of http_sd.
  std::string hostname = "localhost";
};

/// Either the configuration or every error in it.
struct ConfigOutcome {
  std::optional<ExporterConfig> config;
  ConfigErrors errors;  ///< empty exactly when `config` has a value
};

/// The largest configuration file.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{16} * 1024 * 1024;

/// What a configuration may be read from. A pipe is emptied by reading it.
enum class ConfigMedium : std::uint8_t { kFile, kFileOrPipe };

/// A file, and its content or why it could not be read.
struct ConfigFile {
  std::string path;
  Result<std::string> text;
};

/// All files of a configuration, as they were at one time.
struct ConfigFiles {
  ConfigFile main;
  /// For each text in the main file's `include`: the files that it names, in
  /// order, or why its folder could not be read. Those that are missing at the
  /// end name none.
  std::vector<Result<std::vector<ConfigFile>>> included = {};
  /// Where the lines of the main file come from, if it is none.
  std::vector<std::string> line_places = {};
  /// Of all that was read, each once, the main file first.
  std::vector<std::string> paths = {};
};

/// Reads the file and those that its `include` names: relative to it, with a
/// "*" in the last part all that match, but for names that begin with a dot.
/// Thread-safe.
ConfigFiles ReadConfigFiles(const std::string& path,
                            ConfigMedium medium = ConfigMedium::kFile);

/// What stands for a file that has one group, "targets", whose destinations are
/// `targets`. "@FILE" is those in that file, one a line; a "#" begins a
/// comment. Thread-safe.
ConfigFiles ReadTargets(const std::vector<std::string>& targets);

/// Checks what was read. A main file that cannot be read is one error. Never
/// throws, whatever the input. Thread-safe.
ConfigOutcome ParseConfigFiles(const ConfigFiles& files,
                               const ConfigPlatform& platform = {});

/// The same for text already in memory; `name` stands for the file in messages.
/// Nothing is included. Never throws, whatever the input. Thread-safe.
ConfigOutcome ParseConfig(std::string_view text, std::string_view name,
                          const ConfigPlatform& platform = {});

/// The effective configuration as TOML, defaults filled in and secrets
/// removed: parsing it again gives the same configuration. Prefixes appear as
/// the addresses they stand for.
std::string ConfigToToml(const ExporterConfig& config);

/// Parses "127.0.0.1:10115", "[::1]:10115", ":10115" or "name:10115".
Result<ListenAddress> ParseListenAddress(std::string_view text);

/// Parses an element of a group's `sources` or the `source` of /probe: "auto",
/// a name in `[sources]`, or an address.
Result<SourceConfig> ParseSource(
    std::string_view text, const std::map<std::string, SourceConfig>& named);

/// Whether the two have an IP version in common, so that echo requests can be
/// sent.
bool CanPair(const SourceConfig& source, const DestinationConfig& destination,
             IpPreference preference);

/// The requests that are in flight when no destination replies.
std::uint64_t InFlightInSilence(const ExporterConfig& config);

}  // namespace echo_exporter
