#ifndef ECHO_EXPORTER_SRC_ENGINE_ECHO_ROUTE_H_
#define ECHO_EXPORTER_SRC_ENGINE_ECHO_ROUTE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// As ChooseRoute() of the resolver, for what `transport` can send.
RouteChoice ChooseRoute(const std::optional<SourceAddresses>& sources,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference,
                        const EchoTransport& transport);

/// The addresses of `source` as of now; absent: the system chooses. For an
/// adapter, may block and fails as `lookup` does; else does neither.
Result<std::optional<SourceAddresses>> FindSources(const SourceConfig& source,
                                                   AddressLookup& lookup);

/// The addresses for echo requests from `source`, which has `sources`, to
/// `target`, which has `destinations`. Fails with kUnavailable when no two
/// addresses go together.
Result<Route> FindRoute(const SourceConfig& source,
                        const std::optional<SourceAddresses>& sources,
                        const std::string& target,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference,
                        const EchoTransport& transport);

EchoRequest MakeRequest(std::uint64_t tag, const Route& route,
                        const EchoSettings& settings);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_ECHO_ROUTE_H_
