#include "src/config/config_groups.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/base/host_name.h"
#include "src/config/config_settings.h"
#include "src/config/label_names.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

constexpr std::uint64_t kMaxPrefixHosts = 65'536;
constexpr std::uint64_t kMaxPairs = 1'000'000;

/// The first position of each source or destination, by its address or name
/// in one canonical spelling: two with the same key are duplicates.
using Seen = std::unordered_map<std::string, TextPosition>;

/// IpPrefix::Parse(), and with the name of an adapter as the zone, which is put
/// into `zone`: "fe80::%eth0/120".
std::optional<IpPrefix> ParsePrefix(std::string_view text, std::string* zone) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = ZonedAddress::Parse(text.substr(0, slash));
  if (!network) return std::nullopt;
  *zone = network->zone;
  return IpPrefix::Parse(network->address.ToString() +
                         std::string(text.substr(slash)));
}

std::uint64_t CountDestinations(
    const std::vector<Located<std::string>>& items) {
  std::uint64_t count = 0;
  for (const auto& item : items) {
    std::string zone;
    const auto prefix = ParsePrefix(item.value, &zone);
    const std::uint64_t hosts = prefix ? prefix->HostCount() : 1;
    if (hosts <= kMaxPrefixHosts) count += hosts;
  }
  return count;
}

/// Reads one group after the other and counts the destinations of all groups.
class GroupsReader {
 public:
  GroupsReader(const GroupConfig& defaults, const ConfigPlatform& platform,
               ExporterConfig* config)
      : defaults_(defaults), platform_(platform), config_(*config) {}

  void Read(const DocumentReader& root, const DocumentNode& table,
            std::size_t number);

 private:
  void ReadName(DocumentReader& table, GroupConfig* group);
  void ReadSources(DocumentReader& table, GroupConfig* group);
  void ReadDestinations(DocumentReader& table, GroupConfig* group);
  void ReadDestination(DocumentReader& table, const Located<std::string>& item,
                       Seen* seen, GroupConfig* group);
  void ReadPrefix(DocumentReader& table, const Located<std::string>& item,
                  Seen* seen, GroupConfig* group);
  void ReadLabels(DocumentReader& table, GroupConfig* group);
  void AddPairs(DocumentReader& table, const GroupConfig& group);
  /// Reports, once per file, that it has too many pairs.
  void AddTooManyPairs(DocumentReader& table);

  const GroupConfig& defaults_;
  const ConfigPlatform& platform_;
  ExporterConfig& config_;
  std::map<std::string, TextPosition> names_;
  std::uint64_t destinations_ = 0;  // of all groups
  bool too_many_pairs_ = false;
};

std::string PositionText(TextPosition position) {
  return "line " + std::to_string(position.line) + ", column " +
         std::to_string(position.column);
}

/// False, with an error added, when `key` was seen before. `item` is the value
/// in the file that stands for, or contains, `name`.
bool AddOnce(DocumentReader& table, std::string_view list,
             const Located<std::string>& item, const std::string& name,
             const std::string& key, Seen* seen) {
  const auto [it, is_new] = seen->emplace(key, item.position);
  if (is_new) return true;
  std::string what = Excerpt(item.value);
  if (name != item.value) what += " contains " + Quoted(name) + ", which";
  table.AddError(item.position, std::string(list) + ": " + what +
                                    " is a duplicate of " +
                                    PositionText(it->second));
  return false;
}

void GroupsReader::Read(const DocumentReader& root, const DocumentNode& table,
                        std::size_t number) {
  const std::size_t errors_before = root.error_count();
  const DocumentNode* const name = table.Find("name");
  const bool named = name != nullptr &&
                     name->kind == DocumentNode::Kind::kText &&
                     NameFault(name->text).empty();
  DocumentReader reader = root.Enter(
      table,
      "group " + (named ? Quoted(name->text) : std::to_string(number)) + ": ");
  GroupConfig group = defaults_;
  ReadName(reader, &group);
  ReadGroupSettings(reader, &group);
  CheckEchoSettings(reader, group.echo, platform_);
  ReadSources(reader, &group);
  ReadDestinations(reader, &group);
  ReadLabels(reader, &group);
  reader.ReportUnknownKeys();
  // Half a group would only lead to further, misleading errors.
  if (root.error_count() == errors_before) AddPairs(reader, group);
  config_.groups.push_back(std::move(group));
}

void GroupsReader::ReadName(DocumentReader& table, GroupConfig* group) {
  const auto name = table.ReadText("name");
  if (!name) {
    if (!table.Has("name")) table.AddError("name is missing");
    return;
  }
  if (const std::string_view fault = NameFault(name->value); !fault.empty()) {
    table.AddError(name->position, "name " + std::string(fault));
    return;
  }
  const auto [it, is_new] = names_.emplace(name->value, name->position);
  if (!is_new) {
    table.AddError(name->position,
                   "name is a duplicate of " + PositionText(it->second));
  }
  group->name = name->value;
}

void GroupsReader::ReadSources(DocumentReader& table, GroupConfig* group) {
  if (!table.Has("sources")) group->sources.emplace_back();
  const auto items = table.ReadTexts("sources");
  if (!items) return;
  if (items->empty()) {
    table.AddError(table.PositionOf("sources"), "sources must not be empty");
  }
  Seen seen;
  for (const auto& item : *items) {
    auto source = ReadSource(table, "sources", item, config_.sources);
    if (!source) continue;
    // A name in [sources] and the address that it stands for are different
    // labels.
    const bool literal = source->kind == SourceConfig::Kind::kAddress &&
                         !config_.sources.contains(item.value);
    if (AddOnce(table, "sources", item, item.value,
                literal ? ZonedAddress{source->address, source->zone}.ToString()
                        : source->name,
                &seen)) {
      group->sources.push_back(*std::move(source));
    }
  }
}

void GroupsReader::ReadDestinations(DocumentReader& table, GroupConfig* group) {
  const auto items = table.ReadTexts("destinations");
  if (!items) {
    if (!table.Has("destinations")) table.AddError("destinations are missing");
    return;
  }
  if (items->empty()) {
    table.AddError(table.PositionOf("destinations"),
                   "destinations must not be empty");
  }
  // Each destination is in at least one pair, or the group is an error anyway.
  destinations_ += CountDestinations(*items);
  if (destinations_ > kMaxPairs) AddTooManyPairs(table);
  Seen seen;
  for (const auto& item : *items) ReadDestination(table, item, &seen, group);
}

void GroupsReader::ReadDestination(DocumentReader& table,
                                   const Located<std::string>& item, Seen* seen,
                                   GroupConfig* group) {
  const std::string& text = item.value;
  if (text.find('/') != std::string::npos) {
    ReadPrefix(table, item, seen, group);
    return;
  }
  const auto address = ZonedAddress::Parse(text);
  const auto host = address ? std::nullopt : AsciiHostName(text);
  if (!address && !host) {
    table.AddError(
        item.position,
        "destinations: " + Excerpt(text) +
            " is neither an address, nor a prefix such as "
            "\"10.0.0.0/29\", nor a host name (letters, digits, "
            "\"-\" and \"_\" between dots, the last part not a number)");
    return;
  }
  if (address && address->address.IsUnspecified()) {
    table.AddError(item.position, "destinations: " + Excerpt(text) +
                                      " is the unspecified address, which no "
                                      "host has");
    return;
  }
  if (address) CheckZone(table, "destinations", item, *address);
  if (AddOnce(table, "destinations", item, text,
              address ? address->ToString() : LowerCase(*host), seen)) {
    if (address) {
      group->destinations.push_back({text, address->address, address->zone});
    } else {
      group->destinations.push_back({.name = text,
                                     .address = std::nullopt,
                                     .ascii_name = *host == text ? "" : *host});
    }
  }
}

void GroupsReader::ReadPrefix(DocumentReader& table,
                              const Located<std::string>& item, Seen* seen,
                              GroupConfig* group) {
  const std::string quoted = "destinations: " + Excerpt(item.value);
  std::string zone;
  const auto prefix = ParsePrefix(item.value, &zone);
  if (!prefix) {
    table.AddError(item.position,
                   quoted +
                       " is not a valid prefix: use an address whose host bits "
                       "are zero, \"/\" and a length, as in \"10.0.0.0/29\"");
    return;
  }
  const std::uint64_t hosts = prefix->HostCount();
  if (hosts > kMaxPrefixHosts) {
    table.AddError(item.position, quoted + " has more than " +
                                      std::to_string(kMaxPrefixHosts) +
                                      " hosts");
    return;
  }
  if (prefix->HostAt(0).IsUnspecified()) {
    table.AddError(item.position, quoted +
                                      " contains the unspecified address, "
                                      "which no host has");
    return;
  }
  CheckZone(table, "destinations", item, {prefix->network(), zone});
  if (too_many_pairs_) return;
  bool no_duplicate = true;
  for (std::uint64_t n = 0; n < hosts && no_duplicate; ++n) {
    const IpAddress address = prefix->HostAt(n);
    std::string name = ZonedAddress{address, zone}.ToString();
    no_duplicate = AddOnce(table, "destinations", item, name, name, seen);
    group->destinations.push_back({std::move(name), address, zone});
  }
}

void GroupsReader::ReadLabels(DocumentReader& table, GroupConfig* group) {
  const DocumentNode* const labels = table.ReadTable("labels");
  if (labels == nullptr) return;
  for (const DocumentNode& value : labels->children) {
    const std::string& name = value.key;
    if (const std::string fault = LabelNameFault(name); !fault.empty()) {
      table.AddError(value.key_position, "labels: " + fault);
    } else if (value.kind == DocumentNode::Kind::kText) {
      group->labels.emplace_back(name, value.text);
    } else {
      table.AddTypeError(value, "labels: " + name, "a string");
    }
  }
}

void GroupsReader::AddPairs(DocumentReader& table, const GroupConfig& group) {
  const auto group_index = static_cast<std::uint32_t>(config_.groups.size());
  std::uint64_t left_out = 0;
  std::string example;
  for (std::uint32_t s = 0; s < group.sources.size(); ++s) {
    for (std::uint32_t d = 0; d < group.destinations.size(); ++d) {
      if (CanPair(group.sources[s], group.destinations[d],
                  group.echo.ip_version)) {
        if (config_.pairs.size() == kMaxPairs) {
          AddTooManyPairs(table);
          return;
        }
        config_.pairs.push_back({group_index, s, d});
      } else if (++left_out == 1) {
        example = Quoted(group.sources[s].name) + " to " +
                  Quoted(group.destinations[d].name);
      }
    }
  }
  if (left_out == 0) return;
  const std::uint64_t all =
      std::uint64_t{group.sources.size()} * group.destinations.size();
  const TextPosition position = table.PositionOf("destinations");
  if (left_out == all) {
    table.AddError(position,
                   "no pairs remain: source, destination and ip_version never "
                   "agree on an IP version, for example " +
                       example);
    return;
  }
  table.AddWarning(position, std::to_string(left_out) + " of " +
                                 std::to_string(all) +
                                 " pairs are omitted because their IP "
                                 "versions differ, for example " +
                                 example);
}

void GroupsReader::AddTooManyPairs(DocumentReader& table) {
  if (std::exchange(too_many_pairs_, true)) return;
  table.AddError(table.PositionOf("destinations"),
                 "more than " + std::to_string(kMaxPairs) +
                     " pairs in total, which is the limit");
}

}  // namespace

bool CanPair(const SourceConfig& source, const DestinationConfig& destination,
             IpPreference preference) {
  const bool fixed =
      source.kind == SourceConfig::Kind::kAddress && !source.other_address;
  if (fixed && !Allows(preference, source.address.version())) return false;
  if (!destination.address) return true;
  if (!Allows(preference, destination.address->version())) return false;
  return !fixed || source.address.version() == destination.address->version();
}

void ReadGroups(DocumentReader& root, const GroupConfig& defaults,
                const ConfigPlatform& platform, ExporterConfig* config) {
  GroupsReader reader(defaults, platform, config);
  std::size_t number = 0;
  for (const DocumentNode* const table : root.ReadTables("group")) {
    reader.Read(root, *table, ++number);
  }
}

}  // namespace echo_exporter
