#include "src/engine/echo_route.h"

#include <optional>
#include <utility>
#include <variant>

namespace echo_exporter {

Result<Route> FindRoute(const SourceConfig& source, const std::string& target,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference, AddressLookup& lookup,
                        const EchoTransport& transport) {
  std::optional<std::vector<IpAddress>> sources;
  if (source.kind == SourceConfig::Kind::kAddress) {
    sources = {source.address};
  } else if (source.kind == SourceConfig::Kind::kInterface) {
    auto found = lookup.InterfaceAddresses(source.interface_name);
    if (!found.ok()) return found.error();
    sources = std::move(found).value();
  }
  const RouteChoice choice = ChooseRoute(sources, destinations, preference,
                                         transport.Supports(IpVersion::kV4),
                                         transport.Supports(IpVersion::kV6));
  if (const Route* const chosen = std::get_if<Route>(&choice)) {
    Route route = *chosen;
    if (source.kind == SourceConfig::Kind::kInterface) {
      route.source_interface = lookup.InterfaceIndex(source.interface_name);
    }
    return route;
  }
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
  return request;
}

}  // namespace echo_exporter
