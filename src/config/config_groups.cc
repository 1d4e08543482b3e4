#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/config/config_sections.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

constexpr std::uint64_t kMaxPairs = 1'000'000;

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
  void AddPairs(DocumentReader& table, const GroupConfig& group);
  /// Reports, once per file, that it has too many pairs.
  void AddTooManyPairs(DocumentReader& table);

  const GroupConfig& defaults_;
  const ConfigPlatform& platform_;
  ExporterConfig& config_;
  Definitions names_;
  std::uint64_t destinations_ = 0;  // of all groups
  bool too_many_pairs_ = false;
};

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
  ReadDiscovery(reader, platform_, &group);
  ReadLabels(reader, platform_, group, &group.labels);
  ReadDestinations(reader, &group);
  reader.ReportUnknownKeys();
  // Half a group would only lead to further, misleading errors.
  if (root.error_count() == errors_before) AddPairs(reader, group);
  config_.groups.push_back(std::move(group));
}

void GroupsReader::ReadName(DocumentReader& table, GroupConfig* group) {
  const auto name = table.RequireText("name");
  if (!name) return;
  if (const std::string_view fault = NameFault(name->value); !fault.empty()) {
    table.AddError(name->position, "name " + std::string(fault));
    return;
  }
  Define(table, "name", *name, &names_);
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
  const auto items = ReadDestinationItems(table, platform_, *group);
  // Each destination is in at least one pair, or the group is an error anyway.
  destinations_ += CountDestinations(items);
  if (destinations_ > kMaxPairs) {
    AddTooManyPairs(table);
  } else {
    AddDestinations(table, items, group);
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

void ReadGroups(std::vector<DocumentReader>& roots, const GroupConfig& defaults,
                const ConfigPlatform& platform, ExporterConfig* config) {
  GroupsReader reader(defaults, platform, config);
  for (DocumentReader& root : roots) {
    std::size_t number = 0;
    for (const DocumentNode* const table : root.ReadTables("group")) {
      reader.Read(root, *table, ++number);
    }
  }
}

}  // namespace echo_exporter
