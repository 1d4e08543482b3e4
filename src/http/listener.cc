#include "src/http/listener.h"

#include <utility>

#include "src/http/http_library.h"

namespace echo_exporter {
namespace {

std::string Bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// INVALID_SOCKET when it cannot be done; `*cause` then says why, if the
/// system got as far as binding.
socket_t Bind(const std::string& host, int port, bool ipv6_only,
              std::string* cause) {
  return httplib::detail::create_socket(
      host, "", port, AF_UNSPEC, AI_PASSIVE, /*tcp_nodelay=*/true, ipv6_only,
      [](socket_t socket) {
        SetExclusiveAddress(static_cast<SocketHandle>(socket));
      },
      [cause](socket_t socket, addrinfo& address, bool& /*quit*/) {
        if (bind(socket, address.ai_addr,
                 static_cast<socklen_t>(address.ai_addrlen)) == 0 &&
            listen(socket, SOMAXCONN) == 0) {
          return true;
        }
        *cause = SocketErrorText();
        return false;
      });
}

/// An address that stands for all interfaces cannot be connected to
/// everywhere: the loopback address of its version stands for it.
std::string UrlHost(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "[::1]" : Bracketed(host);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Open(const ListenAddress& address,
                                                 const std::string& scheme) {
  std::string cause = "this machine has no such address";
  socket_t socket =
      address.host.empty()
          ? Bind("::", address.port, /*ipv6_only=*/false, &cause)
          : Bind(address.host, address.port, /*ipv6_only=*/true, &cause);
  if (socket == INVALID_SOCKET && address.host.empty()) {
    socket = Bind("0.0.0.0", address.port, /*ipv6_only=*/false, &cause);
  }
  if (socket == INVALID_SOCKET) {
    return Error{ErrorCode::kUnavailable,
                 "listening on " + Bracketed(address.host) + ":" +
                     std::to_string(address.port) + ": " + cause};
  }
  httplib::detail::set_nonblocking(socket, true);

  std::string ip;
  int port = 0;
  httplib::detail::get_local_ip_and_port(socket, ip, port);
  return std::unique_ptr<Listener>(new Listener(
      static_cast<SocketHandle>(socket),
      scheme + "://" + UrlHost(address.host) + ":" + std::to_string(port)));
}

Listener::Listener(SocketHandle socket, std::string url)
    : socket_(socket), url_(std::move(url)) {}

Listener::~Listener() { CloseSocket(socket_); }

Result<std::optional<SocketHandle>> Listener::Accept(
    std::chrono::milliseconds patience) {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  const auto socket = static_cast<socket_t>(socket_);
  if (httplib::detail::select_read(socket, 0,
                                   static_cast<time_t>(microseconds)) == 0) {
    return std::optional<SocketHandle>();
  }
  const socket_t client = accept(socket, nullptr, nullptr);
  if (client == INVALID_SOCKET) {
    if (SocketCallWouldBlock()) return std::optional<SocketHandle>();
    return Error{SocketCallLacksMeans() ? ErrorCode::kExhausted
                                        : ErrorCode::kUnavailable,
                 "accepting on " + url_ + ": " + SocketErrorText()};
  }
  httplib::detail::set_nonblocking(client, true);
  return std::optional<SocketHandle>(static_cast<SocketHandle>(client));
}

}  // namespace echo_exporter
