#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "src/base/host_name.h"
#include "src/config/config_sections.h"
#include "src/config/label_names.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

constexpr std::uint64_t kMaxPrefixHosts = 65'536;

/// Why a label cannot have this name; empty when it can.
std::string LabelFault(const std::string& name, const GroupConfig& group) {
  if (std::string fault = LabelNameFault(name); !fault.empty()) return fault;
  if (name == "address" && group.name_addresses == NameAddresses::kAll) {
    return "\"address\" is a label that addresses = \"all\" adds; choose "
           "another name";
  }
  if (std::ranges::find(group.labels, name, &Labels::value_type::first) !=
      group.labels.end()) {
    return Quoted(name) + " is a label of the group already";
  }
  return {};
}

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

/// The canonical spelling of a name that may be that of a target.
std::string KeyOf(const std::string& text) {
  if (const auto address = ZonedAddress::Parse(text)) {
    return address->ToString();
  }
  return LowerCase(AsciiHostName(text).value_or(text));
}

void AddTargetError(DocumentReader& table, const DestinationItem& item,
                    const std::string& sentence) {
  table.AddError(item.target.position,
                 "destinations: " + Excerpt(item.target.value) + sentence);
}

void AddPrefix(DocumentReader& table, const DestinationItem& item, Seen* seen,
               GroupConfig* group) {
  std::string zone;
  const auto prefix = ParsePrefix(item.target.value, &zone);
  if (!prefix) {
    AddTargetError(
        table, item,
        " is not a valid prefix: use an address whose host bits are zero, "
        "\"/\" and a length, as in \"10.0.0.0/29\"");
    return;
  }
  const std::uint64_t hosts = prefix->HostCount();
  if (hosts > kMaxPrefixHosts) {
    AddTargetError(
        table, item,
        " has more than " + std::to_string(kMaxPrefixHosts) + " hosts");
    return;
  }
  if (prefix->HostAt(0).IsUnspecified()) {
    AddTargetError(table, item,
                   " contains the unspecified address, which no host has");
    return;
  }
  if (item.name) {
    table.AddError(item.name->position,
                   "destinations: name is for one target, and " +
                       Excerpt(item.target.value) + " is a prefix");
  }
  CheckZone(table, "destinations", item.target, {prefix->network(), zone});
  bool no_duplicate = true;
  for (std::uint64_t n = 0; n < hosts && no_duplicate; ++n) {
    const IpAddress address = prefix->HostAt(n);
    std::string name = ZonedAddress{address, zone}.ToString();
    no_duplicate =
        AddOnce(table, "destinations", item.target, name, name, seen);
    group->destinations.push_back({.name = std::move(name),
                                   .address = address,
                                   .zone = zone,
                                   .labels = item.labels});
  }
}

void AddDestination(DocumentReader& table, const DestinationItem& item,
                    Seen* seen, GroupConfig* group) {
  const std::string& text = item.target.value;
  const auto address = ZonedAddress::Parse(text);
  const auto host = address ? std::nullopt : AsciiHostName(text);
  if (!address && !host) {
    AddTargetError(table, item,
                   " is neither an address, nor a prefix such as "
                   "\"10.0.0.0/29\", nor a host name (letters, digits, "
                   "\"-\" and \"_\" between dots, the last part not a "
                   "number)");
    return;
  }
  if (address && address->address.IsUnspecified()) {
    AddTargetError(table, item,
                   " is the unspecified address, which no host has");
    return;
  }
  if (address) CheckZone(table, "destinations", item.target, *address);
  const std::string key = address ? address->ToString() : LowerCase(*host);
  if (!AddOnce(table, "destinations", item.target, text, key, seen)) return;
  // No two destinations of a group have the same name, which is their label.
  if (item.name && KeyOf(item.name->value) != key &&
      !AddOnce(table, "destinations", *item.name, item.name->value,
               KeyOf(item.name->value), seen)) {
    return;
  }
  DestinationConfig destination{.name = item.name ? item.name->value : text,
                                .labels = item.labels};
  if (address) {
    destination.address = address->address;
    destination.zone = address->zone;
  } else if (*host != destination.name) {
    destination.ascii_name = *host;
  }
  group->destinations.push_back(std::move(destination));
}

/// Absent, with an error added, when the table is not a destination.
std::optional<DestinationItem> ReadDestinationTable(
    DocumentReader& table, const ConfigPlatform& platform,
    const GroupConfig& group) {
  DestinationItem item;
  const auto target = table.RequireText("target");
  item.name = table.ReadText("name");
  ReadLabels(table, platform, group, &item.labels);
  table.ReportUnknownKeys();
  if (item.name) {
    const std::string_view fault = NameFault(item.name->value);
    if (!fault.empty()) {
      table.AddError(item.name->position, "name " + std::string(fault));
      return std::nullopt;
    }
  }
  if (!target) return std::nullopt;
  item.target = *target;
  return item;
}

}  // namespace

void ReadLabels(DocumentReader& table, const ConfigPlatform& platform,
                const GroupConfig& group, Labels* labels) {
  const DocumentNode* const node = table.ReadTable("labels");
  if (node == nullptr) return;
  Labels read;
  for (const DocumentNode& value : node->children) {
    const std::string& name = value.key;
    if (const std::string fault = LabelFault(name, group); !fault.empty()) {
      table.AddError(value.key_position, "labels: " + fault);
    } else if (value.kind == DocumentNode::Kind::kText) {
      read.emplace_back(name, WithHostName(value.text, platform.hostname));
    } else {
      table.AddTypeError(value, "labels: " + name, "a string");
    }
  }
  *labels = std::move(read);
}

std::vector<DestinationItem> ReadDestinationItems(
    DocumentReader& table, const ConfigPlatform& platform,
    const GroupConfig& group) {
  std::vector<DestinationItem> items;
  const bool discovers = group.HasLists();
  const DocumentNode* const node =
      table.ReadArray("destinations", "strings and tables");
  if (node == nullptr) {
    if (!discovers && !table.Has("destinations")) {
      table.AddError("destinations are missing");
    }
    return items;
  }
  if (!discovers && node->children.empty()) {
    table.AddError(node->position, "destinations must not be empty");
  }
  items.reserve(node->children.size());
  for (const DocumentNode& element : node->children) {
    if (element.kind == DocumentNode::Kind::kText) {
      items.push_back({.target = {element.text, element.position}});
    } else if (element.kind == DocumentNode::Kind::kTable) {
      DocumentReader reader = table.EnterPart(element, "destinations: ");
      if (auto item = ReadDestinationTable(reader, platform, group)) {
        items.push_back(*std::move(item));
      }
    } else {
      table.AddTypeError(element, "destinations",
                         "an array of strings and tables only");
    }
  }
  return items;
}

std::uint64_t CountDestinations(const std::vector<DestinationItem>& items) {
  std::uint64_t count = 0;
  for (const DestinationItem& item : items) {
    std::string zone;
    const auto prefix = ParsePrefix(item.target.value, &zone);
    const std::uint64_t hosts = prefix ? prefix->HostCount() : 1;
    if (hosts <= kMaxPrefixHosts) count += hosts;
  }
  return count;
}

void AddDestinations(DocumentReader& table,
                     const std::vector<DestinationItem>& items,
                     GroupConfig* group) {
  Seen seen;
  for (const DestinationItem& item : items) {
    const bool prefix = item.target.value.find('/') != std::string::npos;
    (prefix ? AddPrefix : AddDestination)(table, item, &seen, group);
  }
  // They may be a million, and stay for long.
  group->destinations.shrink_to_fit();
}

}  // namespace echo_exporter
