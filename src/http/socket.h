#ifndef ECHO_EXPORTER_SRC_HTTP_SOCKET_H_
#define ECHO_EXPORTER_SRC_HTTP_SOCKET_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "echo_exporter/ip_address.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// TCP sockets of any operating system. None of them blocks, and no child
/// process inherits one. Every function but OpenListener() takes an open
/// socket. A connection that is broken is an error of the call and never a
/// signal.
///
/// Thread-safe.
using SocketHandle = std::intptr_t;
inline constexpr SocketHandle kNoSocket = -1;

/// A socket that listens on the first address of `host`, an address or a name
/// (not empty), that can be bound; port 0 stands for any free port. No other
/// socket can be bound to its address while it is open, and connections of the
/// past do not keep it from being bound. A socket on "::" serves IPv4 too
/// unless `ipv6_only`. kUnavailable: the message is the cause alone.
Result<SocketHandle> OpenListener(const std::string& host, std::uint16_t port,
                                  bool ipv6_only);

/// The next client of a listener; kNoSocket when the call has failed. What is
/// sent to it leaves at once (TCP_NODELAY).
SocketHandle AcceptClient(SocketHandle listener);

/// The port that a listener is bound to; 0 when the system does not tell.
std::uint16_t LocalPort(SocketHandle socket);

/// The address at the other end, without a zone; an IPv4 address also where the
/// socket serves both IP versions. Absent when the system does not tell, as of
/// a connection that was reset.
std::optional<IpAddress> RemoteAddress(SocketHandle socket);

/// `address` without its zone; the IPv4 address that an IPv6 address such as
/// ::ffff:192.0.2.1 stands for (RFC 4291 section 2.5.5.2). Pure.
IpAddress WithoutZoneOrMapping(const IpAddress& address);

enum class SocketEvent {
  kReadable,  ///< also: a client to accept, the end, or an error
  kWritable,  ///< also: an error
};
enum class SocketState {
  kReady,
  kNotReady,  ///< nothing came in time, or the wait was interrupted
  kFailed,    ///< the system cannot wait
};

/// Waits for an event, at most for `timeout` (0 ms .. a day).
SocketState WaitForSocket(SocketHandle socket, SocketEvent event,
                          std::chrono::milliseconds timeout);

/// How many bytes were received: at least one; 0 when the other side sends no
/// more; negative when the call has failed. `size` is not 0.
std::ptrdiff_t ReceiveBytes(SocketHandle socket, char* data, std::size_t size);

/// How many bytes the system has taken, which may be less than `size`;
/// negative when the call has failed.
std::ptrdiff_t SendBytes(SocketHandle socket, const char* data,
                         std::size_t size);

/// Of the last socket call on this thread, which failed: true when it would
/// have succeeded later.
bool SocketCallWouldBlock();

/// Of the last socket call on this thread, which failed: true when this process
/// or the system has no descriptors or memory left for it.
bool SocketCallLacksMeans();

/// Of the last socket call on this thread, which failed: the system's words,
/// as in "Address already in use (98)".
std::string SocketErrorText();

/// Ends what is sent and received on it now; the thread that uses it still has
/// to close it.
void ShutDownSocket(SocketHandle socket);

void CloseSocket(SocketHandle socket);

/// Tells the other side that nothing more will be sent.
void FinishSending(SocketHandle socket);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_HTTP_SOCKET_H_
