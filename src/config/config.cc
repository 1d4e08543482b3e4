#include "echo_exporter/config.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "src/base/byte_size.h"
#include "src/config/config_files.h"
#include "src/config/config_sections.h"
#include "src/config/document.h"
#include "src/config/document_reader.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

bool IsTaken(const ListenAddress& address,
             const std::vector<ListenAddress>& others) {
  return address.port != 0 &&
         std::any_of(others.begin(), others.end(), [&](const auto& other) {
           return other.host == address.host && other.port == address.port;
         });
}

void ReadWeb(DocumentReader& web, ExporterConfig* config) {
  web.ReadBoolean("allow_reload", &config->allow_reload);
  web.ReadBoolean("allow_actions", &config->allow_actions);
  const auto items = web.ReadTexts("listen_addresses");
  if (!items) return;
  if (items->empty()) {
    web.AddError(web.PositionOf("listen_addresses"),
                 "listen_addresses must not be empty");
  }
  config->listen_addresses.clear();
  for (const auto& item : *items) {
    const auto address = ParseListenAddress(item.value);
    if (!address.ok()) {
      web.AddError(item.position,
                   "listen_addresses: " + address.error().message);
    } else if (IsTaken(address.value(), config->listen_addresses)) {
      web.AddError(item.position, "listen_addresses: " + Excerpt(item.value) +
                                      " is listed more than once");
    } else {
      config->listen_addresses.push_back(address.value());
    }
  }
}

void ReadHistory(DocumentReader& history, ExporterConfig* config) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  if (const auto text = history.ReadText("memory")) {
    const auto size = ParseByteSize(text->value);
    if (size && *size <= kMost) {
      config->history_memory = *size;
    } else {
      history.AddError(text->position,
                       "memory must be a size of at most 1TiB such as "
                       "\"64MiB\", or \"0\" for no history, not " +
                           Excerpt(text->value));
    }
  }
  history.ReadNumber("lossy", 0, 1, &config->history_lossy);
  if (config->history_lossy == 0) {
    history.AddError(history.PositionOf("lossy"),
                     "lossy must be above 0: without loss no pair is lossy");
  }
}

void ReadDiscoveryLimits(DocumentReader& discovery, ExporterConfig* config) {
  if (auto path = discovery.ReadPath("state_dir")) {
    config->state_dir = std::move(path->value);
  }
  discovery.ReadInteger("max_pairs", 1, 1'000'000, &config->max_pairs);
}

/// Reads the addresses of an entry of [sources] that has one of each IP
/// version; absent, with an error added, when it has not.
std::optional<SourceConfig> ReadAddressPair(DocumentReader& sources,
                                            const DocumentNode& node,
                                            SourceConfig source,
                                            const std::string& wanted) {
  std::vector<IpAddress> addresses;
  for (const DocumentNode& item : node.children) {
    const auto address = item.kind == DocumentNode::Kind::kText
                             ? IpAddress::Parse(item.text)
                             : std::nullopt;
    if (address && !address->IsUnspecified()) addresses.push_back(*address);
  }
  if (node.children.size() != 2 || addresses.size() != 2 ||
      addresses[0].version() == addresses[1].version()) {
    sources.AddError(node.position, Excerpt(node.key) + " must be " + wanted);
    return std::nullopt;
  }
  source.kind = SourceConfig::Kind::kAddress;
  source.address = addresses[0];
  source.other_address = addresses[1];
  return source;
}

/// Reads one entry of [sources]; absent, with an error added, when its value is
/// not a source.
std::optional<SourceConfig> ReadNamedSource(DocumentReader& sources,
                                            const DocumentNode& node) {
  const std::string wanted =
      "an address, one address of each IP version in [], or { interface = "
      "\"adapter name\" }";
  const std::string name = Excerpt(node.key);
  SourceConfig source;
  source.name = node.key;
  if (node.kind == DocumentNode::Kind::kText) {
    const auto address = ZonedAddress::Parse(node.text);
    if (!address || address->address.IsUnspecified()) {
      sources.AddError(node.position, name + " must be " + wanted + ", not " +
                                          Excerpt(node.text));
      return std::nullopt;
    }
    CheckZone(sources, name, {node.text, node.position}, *address);
    source.kind = SourceConfig::Kind::kAddress;
    source.address = address->address;
    source.zone = address->zone;
    return source;
  }
  if (node.kind == DocumentNode::Kind::kArray) {
    return ReadAddressPair(sources, node, std::move(source), wanted);
  }
  if (node.kind != DocumentNode::Kind::kTable) {
    sources.AddTypeError(node, name, wanted);
    return std::nullopt;
  }
  DocumentReader reader = sources.Enter(node, "[sources]: " + name + ": ");
  const auto interface_name = reader.RequireText("interface");
  reader.ReportUnknownKeys();
  if (!interface_name) return std::nullopt;
  const std::string_view fault = NameFault(interface_name->value);
  if (!fault.empty()) {
    reader.AddError(interface_name->position,
                    "interface " + std::string(fault));
  }
  source.kind = SourceConfig::Kind::kInterface;
  source.interface_name = interface_name->value;
  return source;
}

void ReadSources(DocumentReader& root, Definitions* names,
                 ExporterConfig* config) {
  const DocumentNode* const table = root.ReadTable("sources");
  if (table == nullptr) return;
  DocumentReader sources = root.Enter(*table, "[sources]: ");
  for (const DocumentNode& node : table->children) {
    const std::string& name = node.key;
    const std::string_view fault = NameFault(name);
    if (!fault.empty()) {
      sources.AddError(node.key_position, "a name " + std::string(fault));
    } else if (name == "auto" || ZonedAddress::Parse(name)) {
      sources.AddError(node.key_position,
                       Quoted(name) +
                           " has a built-in meaning as a source; choose "
                           "another name");
    }
    Define(sources, Excerpt(name), {name, node.key_position}, names);
    // A source with an error stays defined, so that groups and modules that
    // use it do not cause further errors.
    SourceConfig placeholder;
    placeholder.name = name;
    config->sources[name] =
        ReadNamedSource(sources, node).value_or(placeholder);
  }
}

Nanoseconds LongestTimeout(const ExporterConfig& config) {
  Nanoseconds longest{};
  for (const GroupConfig& group : config.groups) {
    longest = std::max(longest, group.echo.timeout);
  }
  for (const auto& [name, module] : config.modules) {
    if (module.mode != ModuleConfig::Mode::kContinuous) continue;
    longest = std::max(longest, module.echo.timeout);
  }
  return longest > Nanoseconds::zero() ? longest : EchoSettings().timeout;
}

/// Requires the pairs. `configured` is absent, or the key's number, which may
/// be too large for the system or too small for the pairs.
void SetMaxInFlight(DocumentReader& root, const ConfigPlatform& platform,
                    std::optional<std::uint32_t> configured,
                    ExporterConfig* config) {
  constexpr std::uint64_t kLeast = 4096;
  const std::uint64_t most = InFlightInSilence(*config);
  // Half as many again, because the system reports timeouts late, and because
  // on-demand probes have a share.
  const std::uint64_t wanted =
      configured ? *configured : std::max(kLeast, most + (most + 1) / 2);
  config->max_in_flight_is_default = !configured;
  config->max_in_flight = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(wanted, platform.max_in_flight));
  const std::string limit = std::to_string(config->max_in_flight);
  if (most > config->max_in_flight) {
    root.AddWarning(root.PositionOf("engine"),
                    "if no destination replied, " + std::to_string(most) +
                        " requests would be in flight, but "
                        "engine.max_in_flight is " +
                        limit + "; requests beyond it would not be sent");
  }
}

/// The same for what the operating system limits, whatever the configuration
/// says: there the system itself takes up to half a second longer.
void CheckSystemLimit(DocumentReader& root, const ConfigPlatform& platform,
                      const ExporterConfig& config) {
  double most = 0;
  for (const PairConfig& pair : config.pairs) {
    const GroupConfig& group = config.groups[pair.group];
    most += std::chrono::duration<double>(group.echo.timeout +
                                          std::chrono::milliseconds(500)) /
            group.interval;
  }
  if (most <= static_cast<double>(platform.max_in_flight)) return;
  root.AddWarning(root.PositionOf("group"),
                  "if no destination replied, " +
                      std::to_string(static_cast<std::uint64_t>(most)) +
                      " requests would be in flight, but on this operating "
                      "system at most " +
                      std::to_string(platform.max_in_flight) +
                      " can be: use longer intervals or shorter timeouts");
}

/// The main file's root is the first one.
void ReadRoots(std::vector<DocumentReader>& roots,
               const ConfigPlatform& platform, ExporterConfig* config) {
  DocumentReader& root = roots.front();
  const auto read = [&](const std::string& section, auto read_section) {
    root.ReadSection(section,
                     '[' + section + "]: ", [&](DocumentReader& reader) {
                       read_section(reader, config);
                     });
  };
  read("web", ReadWeb);
  bool has_buckets = false;
  read("metrics", [&](DocumentReader& metrics, ExporterConfig*) {
    has_buckets = metrics.Has("rtt_buckets");
    ReadMetrics(metrics, config);
  });
  std::optional<std::uint32_t> max_in_flight;
  read("engine", [&](DocumentReader& engine, ExporterConfig*) {
    std::uint32_t number = 0;
    engine.ReadInteger("max_in_flight", 1, 1'000'000, &number);
    if (number > 0) max_in_flight = number;
    if (number > platform.max_in_flight) {
      engine.AddWarning(engine.PositionOf("max_in_flight"),
                        "max_in_flight counts as " +
                            std::to_string(platform.max_in_flight) +
                            ": on this operating system no more requests can "
                            "be in flight");
    }
    engine.ReadDuration("drain_timeout", Nanoseconds(0),
                        std::chrono::seconds(60), &config->drain_timeout);
  });
  read("history", ReadHistory);
  read("discovery", ReadDiscoveryLimits);
  GroupConfig defaults;
  read("defaults", [&](DocumentReader& section, ExporterConfig*) {
    ReadGroupSettings(section, &defaults);
  });
  Definitions sources;
  for (DocumentReader& any : roots) ReadSources(any, &sources, config);
  ReadGroups(roots, defaults, platform, config);
  Definitions modules;
  for (DocumentReader& any : roots) {
    ReadModules(any, &modules, platform, config);
  }
  read("probe", ReadProbe);
  if (!has_buckets) {
    config->histograms.rtt_buckets = DefaultRttBuckets(LongestTimeout(*config));
  }
  SetMaxInFlight(root, platform, max_in_flight, config);
  CheckSystemLimit(root, platform, *config);
  for (DocumentReader& any : roots) any.ReportUnknownKeys();
}

/// Reads what was parsed, if all of it could be: parts of a configuration would
/// lead to misleading errors.
ConfigOutcome Finish(const std::deque<ParsedFile>& files,
                     std::vector<DocumentReader>* roots,
                     const ConfigPlatform& platform) {
  ExporterConfig config;
  config.listen_addresses = {{"0.0.0.0", 10115}};
  config.modules.emplace("icmp", ModuleConfig());
  if (roots->size() == files.size()) ReadRoots(*roots, platform, &config);
  ConfigOutcome outcome;
  for (const ParsedFile& file : files) {
    const auto errors = file.findings.Errors();
    const auto warnings = file.findings.Warnings();
    outcome.errors.insert(outcome.errors.end(), errors.begin(), errors.end());
    config.warnings.insert(config.warnings.end(), warnings.begin(),
                           warnings.end());
  }
  if (outcome.errors.empty()) outcome.config = std::move(config);
  return outcome;
}

ConfigOutcome Unreadable(std::string_view name, std::string_view cause) {
  ConfigOutcome outcome;
  outcome.errors.push_back(
      std::string(name) + ": reading the configuration: " + std::string(cause));
  return outcome;
}

}  // namespace

std::uint64_t InFlightInSilence(const ExporterConfig& config) {
  std::uint64_t most = 0;
  for (const PairConfig& pair : config.pairs) {
    const GroupConfig& group = config.groups[pair.group];
    most += static_cast<std::uint64_t>(
        (group.echo.timeout + group.interval - Nanoseconds(1)) /
        group.interval);
  }
  return most;
}

ConfigOutcome ParseConfigFiles(const ConfigFiles& files,
                               const ConfigPlatform& platform) try {
  if (!files.main.text.ok()) {
    return Unreadable(files.main.path, files.main.text.error().message);
  }
  std::deque<ParsedFile> parsed;
  std::vector<DocumentReader> roots;
  ParseFiles(files, &parsed, &roots);
  return Finish(parsed, &roots, platform);
} catch (const std::exception& error) {
  return Unreadable(files.main.path, error.what());
}

ConfigOutcome ParseConfig(std::string_view text, std::string_view name,
                          const ConfigPlatform& platform) {
  return ParseConfigFiles(
      {.main = {.path = std::string(name), .text = std::string(text)}},
      platform);
}

}  // namespace echo_exporter
