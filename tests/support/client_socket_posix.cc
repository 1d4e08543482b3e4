#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "src/base/socket_address_posix.h"
#include "src/base/unique_fd_posix.h"
#include "tests/support/client_socket.h"

namespace echo_exporter {
namespace {

/// An address and a port as the system wants them.
struct Endpoint {
  Endpoint(const std::string& address, int port)
      : size(ToSocketAddress(IpAddress::Parse(address).value(), &storage)) {
    // At the same place in the addresses of both IP versions.
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port =
        htons(static_cast<std::uint16_t>(port));
  }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }

  sockaddr_storage storage{};
  socklen_t size;
};

}  // namespace

SocketHandle ConnectFrom(const std::string& source, int port,
                         int receive_buffer) {
  const Endpoint from(source, 0);
  const int family = from.get()->sa_family;
  UniqueFd client(socket(family, SOCK_STREAM, 0));
  if (!client) return kNoSocket;
  if (receive_buffer != 0) {
    setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
               sizeof(receive_buffer));
  }
  const Endpoint to(family == AF_INET ? "127.0.0.1" : "::1", port);
  if (bind(client.get(), from.get(), from.size) != 0 ||
      connect(client.get(), to.get(), to.size) != 0) {
    return kNoSocket;
  }
  return client.release();
}

bool CanShareAddress(const std::string& address, int port) {
  const Endpoint at(address, port);
  const UniqueFd listener(socket(at.get()->sa_family, SOCK_STREAM, 0));
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  return bind(listener.get(), at.get(), at.size) == 0 &&
         listen(listener.get(), 1) == 0;
}

}  // namespace echo_exporter
