#ifndef ECHO_EXPORTER_SRC_BASE_CLIENT_NETWORK_H_
#define ECHO_EXPORTER_SRC_BASE_CLIENT_NETWORK_H_

#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// The unit that limits per client apply to: an IPv4 address, or an IPv6
/// network of length 64, since one host may use all addresses of such a
/// network.
IpAddress ClientNetwork(const IpAddress& client);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_BASE_CLIENT_NETWORK_H_
