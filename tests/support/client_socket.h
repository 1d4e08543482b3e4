#pragma once

#include <string>

#include "src/http/socket.h"

namespace echo_exporter {

/// The client's side of sockets, which the server has no use for.

/// A socket that blocks, connected to a port of the loopback address, 127.0.0.1
/// or ::1, of the IP version of `source`, an address of this machine to connect
/// from; kNoSocket when that cannot be.
/// `receive_buffer`: bytes the system may hold for a client that does not
/// read; 0 leaves that to the system.
SocketHandle ConnectFrom(const std::string& source, int port,
                         int receive_buffer);

/// Whether a listener that sets every option by which sockets share a port can
/// be bound to the port of an IP address (0: to any).
bool CanShareAddress(const std::string& address, int port);

}  // namespace echo_exporter
