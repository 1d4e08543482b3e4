#ifndef ECHO_EXPORTER_SRC_PROBE_TARGET_POLICY_H_
#define ECHO_EXPORTER_SRC_PROBE_TARGET_POLICY_H_

#include <string_view>
#include <vector>

#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// Whether `text` matches `glob` as a whole: "*" stands for any text, also
/// none; ASCII letters match in either case. Linear in practice: no input
/// makes it exponential. Pure.
bool MatchesGlob(std::string_view glob, std::string_view text);

/// What the configuration says of a /probe target as it was written.
enum class TargetVerdict {
  kAllowed,
  kRefused,
  /// A name that no glob allows, while prefixes are configured: its addresses
  /// decide, see AllowedAddresses().
  kDependsOnAddress,
};

/// Pure.
TargetVerdict ClassifyTarget(const ProbeConfig& config,
                             std::string_view target);

/// Whether a request to /probe may name this source. Pure.
bool AllowsSource(const ProbeConfig& config, const SourceConfig& source);

/// Those of `addresses` that lie in an allowed prefix, in order. Pure.
std::vector<IpAddress> AllowedAddresses(
    const ProbeConfig& config, const std::vector<IpAddress>& addresses);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_PROBE_TARGET_POLICY_H_
