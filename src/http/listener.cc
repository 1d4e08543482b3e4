#include "src/http/listener.h"

#include <utility>

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

Listener::Listener(SocketHandle socket, std::string url)
    : socket_(socket), url_(std::move(url)) {}

Listener::~Listener() { CloseSocket(socket_); }

Result<std::optional<SocketHandle>> Listener::Accept(
    std::chrono::milliseconds patience) {
  if (WaitForSocket(socket_, SocketEvent::kReadable, patience) ==
      SocketState::kNotReady) {
    return std::optional<SocketHandle>();
  }
  const SocketHandle client = AcceptClient(socket_);
  if (client != kNoSocket) return std::optional<SocketHandle>(client);
  if (SocketCallWouldBlock()) return std::optional<SocketHandle>();
  return Error{
      SocketCallLacksMeans() ? ErrorCode::kExhausted : ErrorCode::kUnavailable,
      "accepting on " + url_ + ": " + SocketErrorText()};
}

}  // namespace echo_exporter
