#include "src/engine/echo_route.h"

#include <utility>
#include <variant>

namespace echo_exporter {

RouteChoice ChooseRoute(const std::optional<SourceAddresses>& sources,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference,
                        const EchoTransport& transport) {
  return ChooseRoute(sources, destinations, preference,
                     transport.Supports(IpVersion::kV4),
                     transport.Supports(IpVersion::kV6));
}

Result<std::optional<SourceAddresses>> FindSources(const SourceConfig& source,
                                                   AddressLookup& lookup) {
  std::optional<SourceAddresses> sources;
  switch (source.kind) {
    case SourceConfig::Kind::kAuto:
      break;
    case SourceConfig::Kind::kAddress: {
      const auto address = ResolveZone(lookup, {source.address, source.zone});
      if (!address.ok()) return address.error();
      sources = SourceAddresses{.addresses = {address.value()}};
      if (source.other_address) {
        sources->addresses.push_back(*source.other_address);
      }
      break;
    }
    case SourceConfig::Kind::kInterface: {
      auto found = lookup.InterfaceAddresses(source.interface_name);
      if (!found.ok()) return found.error();
      sources = std::move(found).value();
      break;
    }
  }
  return sources;
}

Result<Route> FindRoute(const SourceConfig& source,
                        const std::optional<SourceAddresses>& sources,
                        const std::string& target,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference,
                        const EchoTransport& transport) {
  const RouteChoice choice =
      ChooseRoute(sources, destinations, preference, transport);
  if (const Route* const route = std::get_if<Route>(&choice)) return *route;
  return Error{ErrorCode::kUnavailable,
               "finding a route: " + target + " from " + source.name +
                   ": no addresses of a common IP version that is allowed and "
                   "supported here"};
}

EchoRequest MakeRequest(std::uint64_t tag, const Route& route,
                        const EchoSettings& settings) {
  EchoRequest request;
  request.tag = tag;
  request.destination = route.destination;
  request.source = route.source;
  request.source_interface = route.source_interface;
  request.timeout = settings.timeout;
  request.payload_size = settings.payload_size;
  request.ttl = settings.ttl;
  request.tos = settings.tos;
  request.dont_fragment = settings.dont_fragment;
  if (settings.flow == FlowPolicy::kFresh) {
    request.flow.kind = EchoFlow::Kind::kFresh;
  }
  return request;
}

}  // namespace echo_exporter
