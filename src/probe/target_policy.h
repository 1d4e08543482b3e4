#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// Whether all of `text` matches `glob`: "*" stands for any text, including
/// none; the case of ASCII letters is ignored. Linear in practice: no input
/// makes it exponential. Pure.
bool MatchesGlob(std::string_view glob, std::string_view text);

/// Whether the configuration allows a /probe target, by its text alone.
enum class TargetVerdict {
  kAllowed,
  kRefused,
  /// A name that no glob allows, or an address in the zone of an adapter, while
  /// prefixes are configured: its addresses decide, see AllowedAddresses().
  kDependsOnAddress,
};

/// A /probe target, and whether it is allowed.
struct ProbeTarget {
  std::optional<ZonedAddress> address;  ///< or else:
  std::string name;                     ///< what to look up
  TargetVerdict verdict = TargetVerdict::kAllowed;
};

/// Absent when `text` cannot be a target: it is neither an address of a host,
/// which may be in brackets, nor a host name. Pure.
std::optional<ProbeTarget> ParseTarget(const ProbeConfig& config,
                                       std::string_view text);

/// Pure.
TargetVerdict ClassifyTarget(const ProbeConfig& config,
                             std::string_view target);

/// Whether a request to /probe may name this source: of one that has two
/// addresses, both must be allowed. Pure.
bool AllowsSource(const ProbeConfig& config, const SourceConfig& source);

/// The sentence for a target none of whose addresses is allowed.
std::string NoAddressAllowed(std::string_view target);

/// The elements of `addresses` that are in an allowed prefix, in order. Pure.
std::vector<IpAddress> AllowedAddresses(
    const ProbeConfig& config, const std::vector<IpAddress>& addresses);

}  // namespace echo_exporter
