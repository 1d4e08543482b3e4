#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "echo_exporter/config.h"
#include "echo_exporter/ip_address.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

/// TCP sockets of any operating system. They are non-blocking and not inherited
/// by child processes. Every function but OpenListener() takes an open socket.
/// A broken connection is an error of the call and never a signal.
///
/// Thread-safe.
using SocketHandle = std::intptr_t;
inline constexpr SocketHandle kNoSocket = -1;

/// A socket that listens on the first address of `host`, an address or a name
/// (not empty), that can be bound; port 0 stands for any free port. No other
/// socket can be bound to its address while it is open, and past connections do
/// not prevent it from being bound. A socket on "::" serves IPv4 too unless
/// `ipv6_only`. kUnavailable: the message is the cause alone.
Result<SocketHandle> OpenListener(const std::string& host, std::uint16_t port,
                                  bool ipv6_only);

/// The next client of a listener; kNoSocket when the call has failed. Data is
/// sent to it without delay (TCP_NODELAY).
SocketHandle AcceptClient(SocketHandle listener);

/// The port that a listener is bound to; 0 when the system does not report it.
std::uint16_t LocalPort(SocketHandle socket);

/// The address at the other end, without a zone; an IPv4 address also where the
/// socket serves both IP versions. Absent when the system does not report it,
/// as for a connection that was reset.
std::optional<IpAddress> RemoteAddress(SocketHandle socket);

enum class SocketEvent {
  kReadable,  ///< also: a client to accept, the end of the stream, or an error
  kWritable,  ///< also: an error
};
enum class SocketState {
  kReady,
  kNotReady,  ///< no event in time, or the wait was interrupted
  kFailed,    ///< the system cannot wait
};

/// Waits for an event for at most `timeout` (0 ms .. 1 day).
SocketState WaitForSocket(SocketHandle socket, SocketEvent event,
                          std::chrono::milliseconds timeout);

/// The number of bytes received: at least one; 0 when the peer has stopped
/// sending; negative when the call has failed. `size` is not 0.
std::ptrdiff_t ReceiveBytes(SocketHandle socket, char* data, std::size_t size);

/// The number of bytes that the system has accepted, which may be less than
/// `size`; negative when the call has failed.
std::ptrdiff_t SendBytes(SocketHandle socket, const char* data,
                         std::size_t size);

/// About the last socket call on this thread, which failed: true when it may
/// succeed later.
bool SocketCallWouldBlock();

/// About the last socket call on this thread, which failed: true when this
/// process or the system has no descriptors or memory left.
bool SocketCallLacksMeans();

/// About the last socket call on this thread, which failed: the system's error
/// text, as in "Address already in use (98)".
std::string SocketErrorText();

/// Stops sending and receiving at once; the thread that uses the socket must
/// still close it.
void ShutDownSocket(SocketHandle socket);

void CloseSocket(SocketHandle socket);

/// Informs the peer that nothing more will be sent.
void FinishSending(SocketHandle socket);

/// A socket that listens on one address.
///
/// Immutable after construction.
class Listener {
 public:
  /// An empty host stands for all interfaces and both IP versions; "0.0.0.0"
  /// and "::" for all interfaces and one version. The scheme is for the URL.
  static Result<std::unique_ptr<Listener>> Open(const ListenAddress& address,
                                                const std::string& scheme);

  ~Listener() { CloseSocket(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  SocketHandle socket() const { return socket_; }

  /// The URL for use on this machine, with the port in use.
  const std::string& url() const { return url_; }

 private:
  Listener(SocketHandle socket, std::string url)
      : socket_(socket), url_(std::move(url)) {}

  const SocketHandle socket_;
  const std::string url_;
};

}  // namespace echo_exporter
