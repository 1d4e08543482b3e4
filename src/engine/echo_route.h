#pragma once

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

/// ChooseRoute() of the resolver for the IP versions that `transport` supports.
RouteChoice ChooseRoute(const std::optional<SourceAddresses>& sources,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference,
                        const EchoTransport& transport);

/// The current addresses of `source`; absent: the system chooses. For an
/// adapter, it may block and fail as `lookup` does; else it does neither.
Result<std::optional<SourceAddresses>> FindSources(const SourceConfig& source,
                                                   AddressLookup& lookup);

/// The addresses for echo requests from `source`, which has `sources`, to
/// `target`, which has `destinations`. Fails with kUnavailable when no source
/// address matches a destination address.
Result<Route> FindRoute(const SourceConfig& source,
                        const std::optional<SourceAddresses>& sources,
                        const std::string& target,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference,
                        const EchoTransport& transport);

EchoRequest MakeRequest(std::uint64_t tag, const Route& route,
                        const EchoSettings& settings);

}  // namespace echo_exporter
