#include "src/resolver/address_order.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "echo_exporter/address_book.h"

namespace echo_exporter {

namespace {

/// Valid on one link only (RFC 4291 section 2.5.6).
bool IsLinkLocal(const IpAddress& address) {
  return !address.is_v4() && address.bytes()[0] == 0xfe &&
         (address.bytes()[1] & 0xc0) == 0x80;
}

// Replies from beyond its link cannot reach a link-local source.
bool CanReach(const IpAddress& source, const IpAddress& destination) {
  if (source.version() != destination.version()) return false;
  if (!IsLinkLocal(source)) return true;
  return IsLinkLocal(destination) && ZonesAgree(source, destination);
}

}  // namespace

void AppendOnce(const IpAddress& address, std::vector<IpAddress>* addresses) {
  if (std::ranges::find(*addresses, address) == addresses->end()) {
    addresses->push_back(address);
  }
}

std::vector<IpAddress> OrderSources(std::vector<SourceCandidate> candidates) {
  const auto rank = [](const SourceCandidate& candidate) {
    return std::pair(IsLinkLocal(candidate.address), candidate.temporary);
  };
  std::ranges::stable_sort(candidates, {}, rank);
  std::vector<IpAddress> addresses;
  for (const SourceCandidate& candidate : candidates) {
    AppendOnce(candidate.address, &addresses);
  }
  return addresses;
}

std::vector<IpAddress> KeepOrder(const std::vector<IpAddress>& old,
                                 std::vector<IpAddress> answer) {
  const auto rank = [&old](const IpAddress& address) {
    return std::ranges::find(old, address) - old.begin();
  };
  for (const IpVersion version : {IpVersion::kV4, IpVersion::kV6}) {
    std::vector<IpAddress> kept;
    std::ranges::copy_if(answer, std::back_inserter(kept),
                         [version](const IpAddress& address) {
                           return address.version() == version;
                         });
    std::ranges::stable_sort(kept, {}, rank);
    auto next = kept.begin();
    for (IpAddress& address : answer) {
      if (address.version() == version) address = *next++;
    }
  }
  return answer;
}

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
