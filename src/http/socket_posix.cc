// Implementation notes:
//   a) fcntl() afterwards instead of SOCK_CLOEXEC and accept4(), which not
//      every system has. The gap is harmless: this process starts no other.
//   b) On Linux SO_REUSEADDR lets a listener bind an address whose connections
//      are in TIME_WAIT, but never one that has a listener (socket(7)).
//   c) MSG_NOSIGNAL: sending to a client that has disconnected would otherwise
//      raise SIGPIPE.

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

#include "src/base/socket_address_posix.h"
#include "src/base/unique_fd_posix.h"
#include "src/http/socket.h"

namespace echo_exporter {
namespace {

int Native(SocketHandle socket) { return static_cast<int>(socket); }

void SetOption(int socket, int level, int option, int value) {
  setsockopt(socket, level, option, &value, sizeof(value));
}

/// False when the system refuses.
bool MakePrivateAndNonBlocking(int socket) {
  return fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 &&
         fcntl(socket, F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

Result<SocketHandle> OpenListener(const std::string& host, std::uint16_t port,
                                  bool ipv6_only) {
  std::string cause = "this machine has no such address";
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* first = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first) !=
      0) {
    return Error{ErrorCode::kUnavailable, cause};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(first,
                                                                &freeaddrinfo);
  for (const addrinfo* address = first; address; address = address->ai_next) {
    UniqueFd listener(
        socket(address->ai_family, address->ai_socktype, address->ai_protocol));
    if (!listener || !MakePrivateAndNonBlocking(listener.get())) continue;
    SetOption(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->ai_family == AF_INET6) {
      SetOption(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only ? 1 : 0);
    }
    if (bind(listener.get(), address->ai_addr, address->ai_addrlen) == 0 &&
        listen(listener.get(), SOMAXCONN) == 0) {
      return SocketHandle{listener.release()};
    }
    cause = SocketErrorText();
  }
  return Error{ErrorCode::kUnavailable, cause};
}

SocketHandle AcceptClient(SocketHandle listener) {
  UniqueFd client(accept(Native(listener), nullptr, nullptr));
  if (!client || !MakePrivateAndNonBlocking(client.get())) return kNoSocket;
  SetOption(client.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return client.release();
}

std::uint16_t LocalPort(SocketHandle socket) {
  // Of an IPv4 address, too: the port is at the same place.
  static_assert(offsetof(sockaddr_in, sin_port) ==
                offsetof(sockaddr_in6, sin6_port));
  sockaddr_in6 address{};
  socklen_t size = sizeof(address);
  getsockname(Native(socket), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin6_port);
}

std::optional<IpAddress> RemoteAddress(SocketHandle socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  auto* const peer = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(Native(socket), peer, &size) != 0) return std::nullopt;
  const auto address = FromSocketAddress(peer);
  if (!address) return std::nullopt;
  return WithoutZoneOrMapping(*address);
}

SocketState WaitForSocket(SocketHandle socket, SocketEvent event,
                          std::chrono::milliseconds timeout) {
  pollfd entry{};
  entry.fd = Native(socket);
  entry.events = event == SocketEvent::kReadable ? POLLIN : POLLOUT;
  const int ready = poll(&entry, 1, static_cast<int>(timeout.count()));
  if (ready > 0) return SocketState::kReady;
  return ready == 0 || errno == EINTR ? SocketState::kNotReady
                                      : SocketState::kFailed;
}

std::ptrdiff_t ReceiveBytes(SocketHandle socket, char* data, std::size_t size) {
  return recv(Native(socket), data, size, 0);
}

std::ptrdiff_t SendBytes(SocketHandle socket, const char* data,
                         std::size_t size) {
  return send(Native(socket), data, size, MSG_NOSIGNAL);
}

bool SocketCallWouldBlock() { return errno == EWOULDBLOCK || errno == EINTR; }

bool SocketCallLacksMeans() {
  return errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
         errno == ENOMEM;
}

std::string SocketErrorText() { return ErrnoText(errno); }

void FinishSending(SocketHandle socket) { shutdown(Native(socket), SHUT_WR); }

void ShutDownSocket(SocketHandle socket) {
  shutdown(Native(socket), SHUT_RDWR);
}

void CloseSocket(SocketHandle socket) { close(Native(socket)); }

}  // namespace echo_exporter
