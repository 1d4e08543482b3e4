#include <algorithm>

#include "echo_exporter/address_book.h"
#include "src/resolver/address_order.h"

namespace echo_exporter {
namespace {

// Replies from beyond its link cannot reach a link-local source.
bool CanReach(const IpAddress& source, const IpAddress& destination) {
  if (source.version() != destination.version()) return false;
  if (!IsLinkLocal(source)) return true;
  return IsLinkLocal(destination) && ZonesAgree(source, destination);
}

}  // namespace

RouteChoice ChooseRoute(const std::optional<SourceAddresses>& sources,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference, bool ipv4_supported,
                        bool ipv6_supported) {
  if (destinations.empty()) return NoRoute::kDestinationUnresolved;
  if (sources && sources->addresses.empty()) return NoRoute::kSourceUnavailable;
  std::vector<IpAddress> ordered = destinations;
  std::stable_partition(ordered.begin(), ordered.end(),
                        [&](const IpAddress& destination) {
                          return Prefers(preference, destination.version());
                        });
  for (const IpAddress& destination : ordered) {
    if (!Allows(preference, destination.version())) continue;
    if (!(destination.is_v4() ? ipv4_supported : ipv6_supported)) continue;
    if (!sources) return Route{std::nullopt, destination};
    const auto source = std::ranges::find_if(
        sources->addresses, [&](const IpAddress& candidate) {
          return CanReach(candidate, destination);
        });
    if (source != sources->addresses.end()) {
      return Route{*source, destination, sources->interface_index};
    }
  }
  return NoRoute::kVersionMismatch;
}

}  // namespace echo_exporter
