// Implementation notes:
//   a) SO_REUSEADDR would let any process share the port and take its
//      connections; without either option a process that sets SO_REUSEADDR
//      still could. SO_EXCLUSIVEADDRUSE prevents that and allows binding while
//      connections are in TIME_WAIT.
//   b) WSAPoll() and not select(), whose sets hold 64 sockets by default.
//   c) recv() and send() take sizes as int.
//   d) Winsock is started once and ends with the process.

#include <winsock2.h>
#include <windows.h>
#include <ws2tcpip.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "src/base/text_windows.h"
#include "src/base/unique_handle.h"
#include "src/http/socket.h"

namespace echo_exporter {
namespace {

SOCKET Native(SocketHandle socket) { return static_cast<SOCKET>(socket); }

struct SocketTraits {
  using Handle = SOCKET;
  static Handle Invalid() { return INVALID_SOCKET; }
  static void Close(Handle socket) { closesocket(socket); }
};
using UniqueSocket = UniqueHandle<SocketTraits>;

void SetOption(SOCKET socket, int level, int option, DWORD value) {
  setsockopt(socket, level, option, reinterpret_cast<const char*>(&value),
             sizeof(value));
}

/// False when the system refuses.
bool MakePrivateAndNonBlocking(SOCKET socket) {
  SetHandleInformation(reinterpret_cast<HANDLE>(socket), HANDLE_FLAG_INHERIT,
                       0);
  u_long on = 1;
  return ioctlsocket(socket, FIONBIO, &on) == 0;
}

void StartWinsock() {
  // If it fails, every later call fails with an error.
  static const int result = [] {
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data);
  }();
  static_cast<void>(result);
}

int AtMostInt(std::size_t size) {
  constexpr std::size_t kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(size, kMost));
}

std::optional<IpAddress> FromSocketAddress(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof(v4));
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::V4(bytes);
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof(v6));
    return IpAddress::V6(std::to_array(v6.sin6_addr.s6_addr));
  }
  return std::nullopt;
}

}  // namespace

Result<SocketHandle> OpenListener(const std::string& host, std::uint16_t port,
                                  bool ipv6_only) {
  StartWinsock();
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
    UniqueSocket listener(
        socket(address->ai_family, address->ai_socktype, address->ai_protocol));
    if (!listener || !MakePrivateAndNonBlocking(listener.get())) continue;
    SetOption(listener.get(), SOL_SOCKET, SO_EXCLUSIVEADDRUSE, TRUE);
    if (address->ai_family == AF_INET6) {
      SetOption(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY,
                ipv6_only ? TRUE : FALSE);
    }
    if (bind(listener.get(), address->ai_addr,
             static_cast<int>(address->ai_addrlen)) == 0 &&
        listen(listener.get(), SOMAXCONN) == 0) {
      return static_cast<SocketHandle>(listener.release());
    }
    cause = SocketErrorText();
  }
  return Error{ErrorCode::kUnavailable, cause};
}

SocketHandle AcceptClient(SocketHandle listener) {
  UniqueSocket client(accept(Native(listener), nullptr, nullptr));
  if (!client || !MakePrivateAndNonBlocking(client.get())) return kNoSocket;
  SetOption(client.get(), IPPROTO_TCP, TCP_NODELAY, TRUE);
  return static_cast<SocketHandle>(client.release());
}

std::uint16_t LocalPort(SocketHandle socket) {
  // Of an IPv4 address, too: the port is at the same place.
  static_assert(offsetof(sockaddr_in, sin_port) ==
                offsetof(sockaddr_in6, sin6_port));
  sockaddr_in6 address{};
  int size = sizeof(address);
  getsockname(Native(socket), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin6_port);
}

std::optional<IpAddress> RemoteAddress(SocketHandle socket) {
  sockaddr_storage storage{};
  int size = sizeof(storage);
  if (getpeername(Native(socket), reinterpret_cast<sockaddr*>(&storage),
                  &size) != 0) {
    return std::nullopt;
  }
  const auto address = FromSocketAddress(storage);
  if (!address) return std::nullopt;
  return WithoutZoneOrMapping(*address);
}

SocketState WaitForSocket(SocketHandle socket, SocketEvent event,
                          std::chrono::milliseconds timeout) {
  WSAPOLLFD entry{};
  entry.fd = Native(socket);
  entry.events = event == SocketEvent::kReadable ? POLLRDNORM : POLLWRNORM;
  const int ready = WSAPoll(&entry, 1, static_cast<int>(timeout.count()));
  if (ready > 0) return SocketState::kReady;
  return ready == 0 ? SocketState::kNotReady : SocketState::kFailed;
}

std::ptrdiff_t ReceiveBytes(SocketHandle socket, char* data, std::size_t size) {
  return recv(Native(socket), data, AtMostInt(size), 0);
}

std::ptrdiff_t SendBytes(SocketHandle socket, const char* data,
                         std::size_t size) {
  return send(Native(socket), data, AtMostInt(size), 0);
}

bool SocketCallWouldBlock() { return WSAGetLastError() == WSAEWOULDBLOCK; }

bool SocketCallLacksMeans() {
  const int code = WSAGetLastError();
  return code == WSAEMFILE || code == WSAENOBUFS;
}

std::string SocketErrorText() {
  return SystemErrorText(static_cast<unsigned long>(WSAGetLastError()));
}

void FinishSending(SocketHandle socket) { shutdown(Native(socket), SD_SEND); }

void ShutDownSocket(SocketHandle socket) { shutdown(Native(socket), SD_BOTH); }

void CloseSocket(SocketHandle socket) { closesocket(Native(socket)); }

}  // namespace echo_exporter
