#include "src/http/socket.h"

namespace echo_exporter {
namespace {

std::string Bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The host to connect to. Not every system can connect to an address that
/// stands for all interfaces, so it is replaced by the loopback address of its
/// version.
std::string UrlHost(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "[::1]" : Bracketed(host);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Open(const ListenAddress& address,
                                                 const std::string& scheme) {
  Result<SocketHandle> socket =
      address.host.empty()
          ? OpenListener("::", address.port, /*ipv6_only=*/false)
          : OpenListener(address.host, address.port, /*ipv6_only=*/true);
  if (!socket.ok() && address.host.empty()) {
    socket = OpenListener("0.0.0.0", address.port, /*ipv6_only=*/false);
  }
  if (!socket.ok()) {
    return Error{socket.error().code, "listening on " +
                                          Bracketed(address.host) + ":" +
                                          std::to_string(address.port) + ": " +
                                          socket.error().message};
  }
  return std::unique_ptr<Listener>(new Listener(
      socket.value(), scheme + "://" + UrlHost(address.host) + ":" +
                          std::to_string(LocalPort(socket.value()))));
}

}  // namespace echo_exporter
