#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/base/host_name.h"
#include "src/config/config_sections.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

/// True for "*.example.net" and the like. Not for "10.0.*", which would also
/// allow "10.0.example.net": addresses are given as a prefix.
bool IsNameGlob(std::string_view text) {
  std::string name(text);
  std::replace(name.begin(), name.end(), '*', '0');
  if (std::all_of(name.begin(), name.end(),
                  [](char c) { return c == '.' || (c >= '0' && c <= '9'); })) {
    return text == "*";
  }
  std::replace(name.begin(), name.end(), '0', 'x');
  return IsHostName(name);
}

/// A prefix, or an address as the prefix that contains nothing else.
std::optional<IpPrefix> ParsePrefixOrAddress(const std::string& text) {
  const auto address = IpAddress::Parse(text);
  if (!address) return IpPrefix::Parse(text);
  return IpPrefix::Parse(text + (address->is_v4() ? "/32" : "/128"));
}

void ReadAllowedTargets(DocumentReader& probe, ProbeConfig* config) {
  const auto items = probe.ReadTexts("allowed_targets");
  if (!items) return;
  for (const auto& item : *items) {
    if (const auto prefix = ParsePrefixOrAddress(item.value)) {
      config->allowed_prefixes.push_back(*prefix);
    } else if (IsNameGlob(item.value)) {
      config->allowed_name_globs.push_back(item.value);
    } else {
      probe.AddError(item.position,
                     "allowed_targets: " + Excerpt(item.value) +
                         " is neither an address, nor a prefix such as "
                         "\"10.0.0.0/8\", nor a pattern of host names such as "
                         "\"*.example.net\"");
    }
  }
}

void AllowDestinations(ExporterConfig* config) {
  for (const GroupConfig& group : config->groups) {
    for (const DestinationConfig& destination : group.destinations) {
      config->probe.destinations.insert(destination.CanonicalTarget());
    }
  }
}

bool NamesSource(const ExporterConfig& config, const std::string& text) {
  return text == "auto" || config.sources.contains(text) ||
         std::any_of(config.sources.begin(), config.sources.end(),
                     [&](const auto& named) {
                       return named.second.kind ==
                                  SourceConfig::Kind::kInterface &&
                              named.second.interface_name == text;
                     });
}

void ReadAllowedSources(DocumentReader& probe, ExporterConfig* config) {
  const auto items = probe.ReadTexts("allowed_sources");
  if (!items) return;
  for (const auto& item : *items) {
    if (NamesSource(*config, item.value)) {
      config->probe.allowed_source_names.push_back(item.value);
    } else if (const auto prefix = ParsePrefixOrAddress(item.value)) {
      config->probe.allowed_source_prefixes.push_back(*prefix);
    } else {
      probe.AddError(item.position,
                     "allowed_sources: " + Excerpt(item.value) +
                         " is neither \"auto\", nor an address, nor a prefix "
                         "such as \"10.0.0.0/8\", nor a name or an adapter in "
                         "[sources]");
    }
  }
}

void ReadRate(DocumentReader& probe, ProbeConfig* config) {
  constexpr double kLeast = 0.001;
  probe.ReadNumber("requests_per_second", 0, 1'000'000,
                   &config->requests_per_second);
  if (config->requests_per_second > 0 && config->requests_per_second < kLeast) {
    probe.AddError(probe.PositionOf("requests_per_second"),
                   "requests_per_second must be at least 0.001, or 0 for no "
                   "limit");
  }
  probe.ReadInteger("burst", 1, 1'000'000, &config->burst);
}

void ReadMode(DocumentReader& table, ModuleConfig* module) {
  ReadWord(table, "mode", kModeWords, &module->mode);
  table.ReadDuration("interval", std::chrono::milliseconds(10),
                     std::chrono::hours(1), &module->interval);
  table.ReadDuration("keep", std::chrono::seconds(10), std::chrono::hours(24),
                     &module->keep);
  if (module->mode != ModuleConfig::Mode::kContinuous) {
    for (const char* const key : {"interval", "keep"}) {
      if (table.Has(key)) {
        table.AddError(table.PositionOf(key),
                       std::string(key) +
                           R"( is for modules of mode = "continuous" only)");
      }
    }
  } else if (module->keep < module->interval) {
    table.AddError(table.PositionOf("keep"),
                   "keep must not be shorter than the interval");
  }
}

void ReadModule(DocumentReader& table, const ConfigPlatform& platform,
                ExporterConfig* config, ModuleConfig* module) {
  ReadEchoSettings(table, &module->echo);
  ReadMode(table, module);
  CheckEchoSettings(table, module->echo, platform);
  const auto item = table.ReadText("source");
  if (!item) return;
  const auto source = ReadSource(table, "source", *item, config->sources);
  if (!source) return;
  module->source = *source;
  if (source->kind == SourceConfig::Kind::kAddress && !source->other_address &&
      !Allows(module->echo.ip_version, source->address.version())) {
    table.AddError(item->position, "source: " + Excerpt(item->value) +
                                       " does not match the module's "
                                       "ip_version");
  }
}

}  // namespace

void ReadModules(DocumentReader& root, Definitions* names,
                 const ConfigPlatform& platform, ExporterConfig* config) {
  const DocumentNode* const table = root.ReadTable("modules");
  if (table == nullptr) return;
  DocumentReader modules = root.Enter(*table, "[modules]: ");
  for (const DocumentNode& node : table->children) {
    const std::string& name = node.key;
    if (const auto fault = NameFault(name); !fault.empty()) {
      modules.AddError(node.key_position, "a name " + std::string(fault));
    }
    if (node.kind != DocumentNode::Kind::kTable) {
      modules.AddTypeError(node, Excerpt(name), "a table");
      continue;
    }
    Define(modules, Excerpt(name), {name, node.key_position}, names);
    DocumentReader reader =
        modules.Enter(node, "module " + Excerpt(name) + ": ");
    ReadModule(reader, platform, config, &config->modules[name]);
    reader.ReportUnknownKeys();
    if (config->modules[name].mode == ModuleConfig::Mode::kContinuous &&
        std::ranges::count(config->groups, name, &GroupConfig::name) > 0) {
      reader.AddWarning(node.key_position,
                        "a group has the same name; where both probe a "
                        "destination from the same source, the status page and "
                        "Prometheus take the two for one pair");
    }
  }
}

void ReadProbe(DocumentReader& probe, ExporterConfig* config) {
  probe.ReadBoolean("enabled", &config->probe.enabled);
  probe.ReadInteger("max_concurrent", 1, kMostConcurrentProbes,
                    &config->probe.max_concurrent);
  probe.ReadInteger("max_continuous", 0, 1'000'000,
                    &config->probe.max_continuous);
  ReadAllowedTargets(probe, &config->probe);
  probe.ReadBoolean("allow_destinations", &config->probe.allow_destinations);
  if (config->probe.allow_destinations) AllowDestinations(config);
  ReadAllowedSources(probe, config);
  ReadRate(probe, &config->probe);
}

}  // namespace echo_exporter
