#pragma once

#include <sys/socket.h>

#include <optional>

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// The address in a socket address; absent for null and for other families
/// than IPv4 and IPv6. The kernel sets a scope only for link-local addresses.
std::optional<IpAddress> FromSocketAddress(const sockaddr* address);

/// Writes `address` with port 0 and returns the size of the socket address.
socklen_t ToSocketAddress(const IpAddress& address, sockaddr_storage* storage);

}  // namespace echo_exporter
