#include "src/config/config_settings.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "src/base/utf8.h"
#include "src/config/quoted.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxNameSize = 128;

/// The payload of an Ethernet packet after the IPv4 and the ICMP header.
constexpr std::uint16_t kEthernetPayload = 1500 - 20 - 8;

}  // namespace

void ReadEchoSettings(DocumentReader& table, EchoSettings* settings) {
  table.ReadDuration("timeout", milliseconds(1), seconds(60),
                     &settings->timeout);
  table.ReadInteger("payload_size", 0, 65500, &settings->payload_size);
  table.ReadInteger("ttl", 1, 255, &settings->ttl);
  table.ReadInteger("tos", 0, 255, &settings->tos);
  table.ReadBoolean("dont_fragment", &settings->dont_fragment);
  ReadWord(table, "ip_version", kIpVersionWords, &settings->ip_version);
  ReadWord(table, "flow", kFlowWords, &settings->flow);
}

void ReadGroupSettings(DocumentReader& table, GroupConfig* group) {
  table.ReadDuration("interval", milliseconds(10), hours(1), &group->interval);
  table.ReadDuration("dns_refresh", seconds(1), hours(24), &group->dns_refresh);
  table.ReadInteger("flow_renew_after", 0, 1'000'000, &group->flow_renew_after);
  table.ReadInteger("outage_after", 1, 1000, &group->outage_after);
  ReadEchoSettings(table, &group->echo);
}

void CheckEchoSettings(DocumentReader& table, const EchoSettings& settings,
                       const ConfigPlatform& platform) {
  if (settings.tos != 0 && !platform.sets_tos) {
    table.AddWarning(table.PositionOf("tos"),
                     "tos " + std::to_string(settings.tos) +
                         " is ignored: on this operating system a program "
                         "cannot set the type of service of echo requests");
  }
  if (settings.flow == FlowPolicy::kFresh && !platform.sets_identifier) {
    table.AddWarning(table.PositionOf("flow"),
                     "flow \"fresh\" is ignored: on this operating system a "
                     "program cannot set the identifier of echo requests");
  }
  if (!settings.dont_fragment || settings.payload_size <= kEthernetPayload) {
    return;
  }
  table.AddWarning(
      table.PositionOf("payload_size"),
      "payload_size " + std::to_string(settings.payload_size) +
          " with dont_fragment does not fit the usual MTU of 1500 bytes");
}

std::optional<SourceConfig> ReadSource(
    DocumentReader& table, std::string_view key,
    const Located<std::string>& item,
    const std::map<std::string, SourceConfig>& named) {
  auto source = ParseSource(item.value, named);
  if (!source.ok()) {
    table.AddError(item.position,
                   std::string(key) + ": " + source.error().message);
    return std::nullopt;
  }
  if (source.value().kind == SourceConfig::Kind::kAddress &&
      !named.contains(item.value)) {
    const SourceConfig& parsed = source.value();
    CheckZone(table, key, item, {parsed.address, parsed.zone});
  }
  return std::move(source).value();
}

void CheckZone(DocumentReader& table, std::string_view key,
               const Located<std::string>& item, const ZonedAddress& zoned) {
  const IpAddress& address = zoned.address;
  const auto& bytes = address.bytes();
  const bool link_local =
      !address.is_v4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  if (!link_local || address.scope_id() != 0 || !zoned.zone.empty()) return;
  table.AddWarning(item.position,
                   std::string(key) + ": " + Excerpt(item.value) +
                       " is link-local; add the name or the number of its "
                       "adapter, as in \"fe80::1%eth0\" or \"fe80::1%3\"");
}

bool AddOnce(DocumentReader& table, std::string_view list,
             const Located<std::string>& item, const std::string& name,
             const std::string& key, Seen* seen) {
  const auto [it, is_new] = seen->emplace(key, item.position);
  if (is_new) return true;
  std::string what = Excerpt(item.value);
  if (name != item.value) what += " contains " + Quoted(name) + ", which";
  table.AddError(item.position, std::string(list) + ": " + what +
                                    " is a duplicate of " +
                                    table.PlaceText(it->second));
  return false;
}

void Define(DocumentReader& table, const std::string& what,
            const Located<std::string>& name, Definitions* definitions) {
  const auto [it, is_new] =
      definitions->emplace(name.value, table.PlaceText(name.position));
  if (!is_new) {
    table.AddError(name.position, what + " is a duplicate of " + it->second);
  }
}

std::string_view NameFault(std::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > kMaxNameSize) return "must be at most 128 bytes long";
  if (HasControl(text)) return "must not contain control characters";
  return {};
}

}  // namespace echo_exporter
