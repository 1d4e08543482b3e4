#ifndef ECHO_EXPORTER_SRC_BASE_CLIENT_NETWORK_H_
#define ECHO_EXPORTER_SRC_BASE_CLIENT_NETWORK_H_

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// What counts as one client where clients are limited: an IPv4 address, or an
/// IPv6 network of length 64, as one host may have all addresses of that.
IpAddress ClientNetwork(const IpAddress& client);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_CLIENT_NETWORK_H_
