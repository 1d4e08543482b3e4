#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>

#include <cstdint>
#include <cstring>

#include "src/base/unique_handle.h"
#include "tests/support/client_socket.h"

namespace echo_exporter {
namespace {

struct SocketTraits {
  using Handle = SOCKET;
  static Handle Invalid() { return INVALID_SOCKET; }
  static void Close(Handle socket) { closesocket(socket); }
};
using UniqueSocket = UniqueHandle<SocketTraits>;

/// An address and a port as the system wants them.
struct Endpoint {
  Endpoint(const std::string& address, int port) {
    const IpAddress parsed = IpAddress::Parse(address).value();
    storage.ss_family = parsed.is_v4() ? AF_INET : AF_INET6;
    // At the same place in the addresses of both IP versions.
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    if (parsed.is_v4()) {
      std::memcpy(&v4->sin_addr, parsed.bytes().data(), sizeof(v4->sin_addr));
      size = sizeof(sockaddr_in);
    } else {
      auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      std::memcpy(&v6->sin6_addr, parsed.bytes().data(), sizeof(v6->sin6_addr));
      size = sizeof(sockaddr_in6);
    }
  }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }

  sockaddr_storage storage{};
  int size = 0;
};

UniqueSocket OpenSocket(int family) {
  // For the whole process, as often as it likes.
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
  return UniqueSocket(socket(family, SOCK_STREAM, 0));
}

}  // namespace

SocketHandle ConnectFrom(const std::string& source, int port,
                         int receive_buffer) {
  const Endpoint from(source, 0);
  const int family = from.get()->sa_family;
  UniqueSocket client = OpenSocket(family);
  if (!client) return kNoSocket;
  if (receive_buffer != 0) {
    setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF,
               reinterpret_cast<const char*>(&receive_buffer),
               sizeof(receive_buffer));
  }
  const Endpoint to(family == AF_INET ? "127.0.0.1" : "::1", port);
  if (bind(client.get(), from.get(), from.size) != 0 ||
      connect(client.get(), to.get(), to.size) != 0) {
    return kNoSocket;
  }
  return static_cast<SocketHandle>(client.release());
}

bool CanShareAddress(const std::string& address, int port) {
  const Endpoint at(address, port);
  const UniqueSocket listener = OpenSocket(at.get()->sa_family);
  const BOOL on = TRUE;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR,
             reinterpret_cast<const char*>(&on), sizeof(on));
  return bind(listener.get(), at.get(), at.size) == 0 &&
         listen(listener.get(), 1) == 0;
}

}  // namespace echo_exporter
