#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/config.h"
#include "src/base/byte_size.h"
#include "src/base/duration.h"
#include "src/base/host_name.h"
#include "src/base/number_text.h"
#include "src/config/config_settings.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

/// Writes `key = value` lines.
class TomlText {
 public:
  void Header(const std::string& header) {
    text_ += (text_.empty() ? "" : "\n") + header + '\n';
  }
  void Line(std::string_view key, const std::string& value) {
    text_.append(key).append(" = ").append(value) += '\n';
  }
  /// `value` makes TOML of an item.
  template <typename Items, typename Value>
  void Array(std::string_view key, const Items& items, const Value& value) {
    text_.append(key).append(" = [");
    for (const auto& item : items) text_.append("\n  " + value(item)) += ',';
    text_ += items.empty() ? "]\n" : "\n]\n";
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string ListenText(const ListenAddress& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return Quoted((brackets ? '[' + address.host + ']' : address.host) + ':' +
                std::to_string(address.port));
}

std::string BooleanText(bool value) { return value ? "true" : "false"; }

void WriteEchoSettings(const EchoSettings& settings, TomlText& toml) {
  toml.Line("timeout", Quoted(FormatDuration(settings.timeout)));
  toml.Line("payload_size", std::to_string(settings.payload_size));
  toml.Line("ttl", std::to_string(settings.ttl));
  toml.Line("tos", std::to_string(settings.tos));
  toml.Line("dont_fragment", BooleanText(settings.dont_fragment));
  toml.Line("ip_version", Quoted(WordOf(kIpVersionWords, settings.ip_version)));
  toml.Line("flow", Quoted(WordOf(kFlowWords, settings.flow)));
}

void WriteMetrics(const ExporterConfig& config, TomlText& toml) {
  const HistogramOptions& histograms = config.histograms;
  std::vector<std::string_view> omitted;
  for (std::size_t i = 0; i < kPairFamilies.size(); ++i) {
    if (config.omit[i]) omitted.push_back(kPairFamilies[i].name);
  }
  toml.Header("[metrics]");
  toml.Array("rtt_buckets", histograms.rtt_buckets, NumberText);
  toml.Line("native_factor", histograms.native_factor
                                 ? NumberText(*histograms.native_factor)
                                 : Quoted("off"));
  toml.Line("native_max_buckets",
            std::to_string(histograms.native_max_buckets));
  toml.Array("omit", omitted, Quoted);
}

void WriteSources(const std::map<std::string, SourceConfig>& sources,
                  TomlText& toml) {
  toml.Header("[sources]");
  for (const auto& [name, source] : sources) {
    std::string value =
        Quoted(ZonedAddress{source.address, source.zone}.ToString());
    if (source.kind == SourceConfig::Kind::kInterface) {
      value = "{ interface = " + Quoted(source.interface_name) + " }";
    } else if (source.other_address) {
      value =
          "[" + value + ", " + Quoted(source.other_address->ToString()) + "]";
    }
    toml.Line(Quoted(name), value);
  }
}

std::string LabelsText(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += (text.empty() ? "{ " : ", ") + name + " = " + Quoted(value);
  }
  return text + " }";
}

std::string DestinationText(const DestinationConfig& destination) {
  std::string target =
      destination.address
          ? ZonedAddress{*destination.address, destination.zone}.ToString()
          : destination.ascii_name.text();
  const auto named = ZonedAddress::Parse(destination.name);
  const bool same = target.empty() || (named && named->ToString() == target) ||
                    AsciiHostName(destination.name) == target;
  if (same) target = destination.name;
  if (same && destination.labels.empty()) return Quoted(target);
  std::string text = "{ target = " + Quoted(target);
  if (!same) text += ", name = " + Quoted(destination.name);
  if (!destination.labels.empty()) {
    text += ", labels = " + LabelsText(destination.labels);
  }
  return text + " }";
}

void WriteHttpDiscovery(const HttpDiscoveryConfig& http, TomlText& toml) {
  toml.Header("[[group.http_sd]]");
  toml.Line("url", Quoted(http.url));
  toml.Line("refresh_interval", Quoted(FormatDuration(http.refresh_interval)));
  toml.Line("strip_port", BooleanText(http.strip_port));
  const auto write = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) toml.Line(key, Quoted(value));
  };
  write("ca_file", http.ca_file);
  write("cert_file", http.cert_file);
  write("key_file", http.key_file);
  write("server_name", http.server_name);
  write("bearer_token_file", http.bearer_token_file);
  if (!http.username.empty()) {
    toml.Line("basic_auth",
              "{ username = " + Quoted(http.username) +
                  ", password_file = " + Quoted(http.password_file) + " }");
  }
  write("proxy_url", http.proxy_url);
}

void WriteGroup(const GroupConfig& group, TomlText& toml) {
  toml.Header("[[group]]");
  toml.Line("name", Quoted(group.name));
  toml.Line("interval", Quoted(FormatDuration(group.interval)));
  toml.Line("dns_refresh", Quoted(FormatDuration(group.dns_refresh)));
  toml.Line("flow_renew_after", std::to_string(group.flow_renew_after));
  toml.Line("outage_after", std::to_string(group.outage_after));
  WriteEchoSettings(group.echo, toml);
  toml.Array("sources", group.sources,
             [](const SourceConfig& source) { return Quoted(source.name); });
  toml.Array("destinations", group.destinations, DestinationText);
  toml.Line("addresses", Quoted(WordOf(kAddressesWords, group.name_addresses)));
  toml.Line("exclude_self", BooleanText(group.exclude_self));
  if (group.neighbours != 0) {
    toml.Line("neighbours", std::to_string(group.neighbours));
  }
  if (!group.labels.empty()) toml.Line("labels", LabelsText(group.labels));
  for (const FileDiscoveryConfig& file : group.file_sd) {
    toml.Header("[[group.file_sd]]");
    toml.Array("files", file.files, Quoted);
    toml.Line("strip_port", BooleanText(file.strip_port));
  }
  for (const HttpDiscoveryConfig& http : group.http_sd) {
    WriteHttpDiscovery(http, toml);
  }
}

void WriteModule(const std::string& name, const ModuleConfig& module,
                 TomlText& toml) {
  toml.Header("[modules." + Quoted(name) + ']');
  WriteEchoSettings(module.echo, toml);
  toml.Line("source", Quoted(module.source.name));
  toml.Line("mode", Quoted(WordOf(kModeWords, module.mode)));
  if (module.mode == ModuleConfig::Mode::kOnDemand) return;
  toml.Line("interval", Quoted(FormatDuration(module.interval)));
  toml.Line("keep", Quoted(FormatDuration(module.keep)));
}

void WriteProbe(const ProbeConfig& probe, TomlText& toml) {
  toml.Header("[probe]");
  toml.Line("enabled", BooleanText(probe.enabled));
  toml.Line("max_concurrent", std::to_string(probe.max_concurrent));
  toml.Line("max_continuous", std::to_string(probe.max_continuous));
  const auto write = [&](std::string_view key,
                         const std::vector<IpPrefix>& prefixes,
                         const std::vector<std::string>& names) {
    std::vector<std::string> items;
    for (const IpPrefix& prefix : prefixes) items.push_back(prefix.ToString());
    items.insert(items.end(), names.begin(), names.end());
    toml.Array(key, items, Quoted);
  };
  write("allowed_targets", probe.allowed_prefixes, probe.allowed_name_globs);
  toml.Line("allow_destinations", BooleanText(probe.allow_destinations));
  write("allowed_sources", probe.allowed_source_prefixes,
        probe.allowed_source_names);
  toml.Line("requests_per_second", NumberText(probe.requests_per_second));
  toml.Line("burst", std::to_string(probe.burst));
}

}  // namespace

std::string ConfigToToml(const ExporterConfig& config) {
  TomlText toml;
  toml.Header("[web]");
  toml.Array("listen_addresses", config.listen_addresses, ListenText);
  toml.Line("allow_reload", BooleanText(config.allow_reload));
  toml.Line("allow_actions", BooleanText(config.allow_actions));
  WriteMetrics(config, toml);
  toml.Header("[engine]");
  toml.Line("max_in_flight", std::to_string(config.max_in_flight));
  toml.Line("drain_timeout", Quoted(FormatDuration(config.drain_timeout)));
  toml.Header("[history]");
  toml.Line("memory", Quoted(FormatByteSize(config.history_memory)));
  toml.Line("lossy", NumberText(config.history_lossy));
  toml.Header("[discovery]");
  if (!config.state_dir.empty()) {
    toml.Line("state_dir", Quoted(config.state_dir));
  }
  toml.Line("max_pairs", std::to_string(config.max_pairs));
  WriteSources(config.sources, toml);
  for (const GroupConfig& group : config.groups) WriteGroup(group, toml);
  for (const auto& [name, module] : config.modules) {
    WriteModule(name, module, toml);
  }
  WriteProbe(config.probe, toml);
  return toml.Take();
}

}  // namespace echo_exporter
