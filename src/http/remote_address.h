#ifndef ECHO_EXPORTER_SRC_HTTP_REMOTE_ADDRESS_H_
#define ECHO_EXPORTER_SRC_HTTP_REMOTE_ADDRESS_H_

#include <optional>

#include "echo_exporter/ip_address.h"
#include "src/http/socket.h"

namespace echo_exporter {

/// The address at the other end, without a zone; an IPv4 address also where the
/// socket serves both IP versions. Absent when the system does not tell, as of
/// a connection that was reset.
std::optional<IpAddress> RemoteAddress(SocketHandle socket);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_REMOTE_ADDRESS_H_
