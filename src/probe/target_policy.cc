#include "src/probe/target_policy.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "src/base/host_name.h"

namespace echo_exporter {
namespace {

char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool IsInOneOf(const std::vector<IpPrefix>& prefixes,
               const IpAddress& address) {
  return std::ranges::any_of(prefixes, [&](const IpPrefix& prefix) {
    return prefix.Contains(address);
  });
}

}  // namespace

bool MatchesGlob(std::string_view glob, std::string_view text) {
  // Greedy with one point to backtrack to: after a "*" is reached, earlier ones
  // never need to be retried.
  std::size_t g = 0;
  std::size_t t = 0;
  std::optional<std::size_t> star;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_text = t;
    } else if (g < glob.size() && ToLower(glob[g]) == ToLower(text[t])) {
      ++g;
      ++t;
    } else if (star) {
      g = *star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

std::optional<ProbeTarget> ParseTarget(const ProbeConfig& config,
                                       std::string_view text) {
  ProbeTarget target;
  const bool brackets = text.starts_with('[') && text.ends_with(']');
  if (brackets) text = text.substr(1, text.size() - 2);
  target.address = ZonedAddress::Parse(text);
  if (target.address) {
    const IpAddress& address = target.address->address;
    if (address.IsUnspecified() || (brackets && address.is_v4())) {
      return std::nullopt;
    }
  } else {
    auto name = AsciiHostName(text);
    if (!name || brackets) return std::nullopt;
    target.name = *std::move(name);
  }
  target.verdict = ClassifyTarget(config, text);
  if (!target.address && target.verdict != TargetVerdict::kAllowed) {
    target.verdict = ClassifyTarget(config, target.name);
  }
  return target;
}

TargetVerdict ClassifyTarget(const ProbeConfig& config,
                             std::string_view target) {
  if (config.allowed_prefixes.empty() && config.allowed_name_globs.empty() &&
      !config.allow_destinations) {
    return TargetVerdict::kAllowed;
  }
  const auto address = ZonedAddress::Parse(target);
  if (config.destinations.contains(address ? address->ToString()
                                           : LowerCase(std::string(target)))) {
    return TargetVerdict::kAllowed;
  }
  for (const std::string& glob : config.allowed_name_globs) {
    // Patterns are for names: "fd*" allows no IPv6 address, but "*" does.
    if (address && glob != "*") continue;
    if (MatchesGlob(glob, target)) return TargetVerdict::kAllowed;
  }
  if (address && address->zone.empty()) {
    return IsInOneOf(config.allowed_prefixes, address->address)
               ? TargetVerdict::kAllowed
               : TargetVerdict::kRefused;
  }
  return config.allowed_prefixes.empty() ? TargetVerdict::kRefused
                                         : TargetVerdict::kDependsOnAddress;
}

bool AllowsSource(const ProbeConfig& config, const SourceConfig& source) {
  const auto& names = config.allowed_source_names;
  const auto& prefixes = config.allowed_source_prefixes;
  if (names.empty() && prefixes.empty()) return true;
  const auto is_named = [&](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (is_named(source.name)) return true;
  switch (source.kind) {
    case SourceConfig::Kind::kAuto:
      return false;
    case SourceConfig::Kind::kInterface:
      return is_named(source.interface_name);
    case SourceConfig::Kind::kAddress:
      return IsInOneOf(prefixes, source.address) &&
             (!source.other_address ||
              IsInOneOf(prefixes, *source.other_address));
  }
  return false;
}

std::string NoAddressAllowed(std::string_view target) {
  return "No address of target \"" + std::string(target) +
         "\" is in the configuration's allowed_targets";
}

std::vector<IpAddress> AllowedAddresses(
    const ProbeConfig& config, const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> allowed;
  for (const IpAddress& address : addresses) {
    if (IsInOneOf(config.allowed_prefixes, address)) allowed.push_back(address);
  }
  return allowed;
}

}  // namespace echo_exporter
