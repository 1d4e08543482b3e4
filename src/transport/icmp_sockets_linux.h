#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ICMP_SOCKETS_LINUX_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ICMP_SOCKETS_LINUX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "src/base/mutex.h"
#include "src/transport/icmp_socket_linux.h"

namespace echo_exporter {

/// The sockets of a transport: one per IP version, and one for each IPv6
/// source.
///
/// IPv6 needs the latter because its control messages do not select a source
/// reliably: on a datagram socket the kernel ignores the address
/// (ping_v6_sendmsg()), and on either kind the adapter is a mere preference
/// once there is an address (ip6_route_output_flags()). It respects the binding
/// of a socket. Sources change with prefixes and adapters, so sockets that have
/// been unused for long are closed when a new one is opened.
///
/// ForRequest() is confined to one thread; everything else is thread-safe.
class IcmpSockets {
 public:
  using List = std::vector<std::shared_ptr<IcmpSocket>>;

  /// Fails, as IcmpSocket::Open() does, when there is neither IPv4 nor IPv6.
  static Result<std::unique_ptr<IcmpSockets>> Open(std::size_t packets_at_once);

  bool Supports(IpVersion version) const {
    return (version == IpVersion::kV4 ? v4_ : v6_) != nullptr;
  }

  /// Whether an IP version uses raw sockets. Never changes.
  bool HasRaw() const;

  /// The socket for sending a request at the time `now`, valid until the next
  /// call; null, with the errno in `code`, when there is none. `is_new`: the
  /// socket was just added to All().
  IcmpSocket* ForRequest(const EchoRequest& request, SteadyTime now,
                         bool* is_new, int* code);

  /// All sockets, at least as recent as a generation() that was read before.
  List All() const;
  std::uint64_t generation() const { return generation_.load(); }

  /// Sets the mechanisms and the number of drops.
  void AddStats(EchoTransportStats* stats) const;

 private:
  explicit IcmpSockets(std::size_t packets_at_once)
      : packets_at_once_(packets_at_once) {}

  const std::size_t packets_at_once_;
  // Constant after Open().
  std::shared_ptr<IcmpSocket> v4_;
  std::shared_ptr<IcmpSocket> v6_;

  struct Bound {
    std::shared_ptr<IcmpSocket> socket;
    SteadyTime used{};
  };

  void CloseUnused(SteadyTime now);

  // Of ForRequest().
  std::map<IcmpSocket::Binding, Bound> bound_;

  std::atomic<std::uint64_t> generation_{1};
  mutable Mutex mutex_;
  List all_ GUARDED_BY(mutex_);
  /// Of closed sockets.
  std::uint64_t past_drops_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ICMP_SOCKETS_LINUX_H_
