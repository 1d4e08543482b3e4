#ifndef ECHO_EXPORTER_SRC_ENGINE_ECHO_ROUTE_H_
#define ECHO_EXPORTER_SRC_ENGINE_ECHO_ROUTE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "echo_exporter/address_book.h"
#include "echo_exporter/config.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// The addresses for echo requests from `source` to `target`, whose addresses
/// are `destinations`, as of now. May block as `lookup` does. Fails as the
/// lookup of an adapter does, or with kUnavailable when no two addresses go
/// together.
Result<Route> FindRoute(const SourceConfig& source, const std::string& target,
                        const std::vector<IpAddress>& destinations,
                        IpPreference preference, AddressLookup& lookup,
                        const EchoTransport& transport);

EchoRequest MakeRequest(std::uint64_t tag, const Route& route,
                        const EchoSettings& settings);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_ENGINE_ECHO_ROUTE_H_
