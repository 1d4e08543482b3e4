#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ICMP_SOCKETS_LINUX_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ICMP_SOCKETS_LINUX_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "src/base/mutex.h"
#include "src/transport/icmp_socket_linux.h"

namespace echo_exporter {

/// The sockets of a transport: one an IP version, and one for each IPv6
/// source.
///
/// IPv6 needs those because its control messages do not choose a source
/// reliably: on a datagram socket the kernel ignores the address
/// (ping_v6_sendmsg()), and on either kind it takes the adapter for a wish as
/// soon as there is an address (ip6_route_output_flags()). What a socket is
/// bound to it respects.
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

  /// The socket to send a request by; null, with the errno in `code`, when
  /// there is none. `is_new`: All() has one more than before.
  IcmpSocket* ForRequest(const EchoRequest& request, bool* is_new, int* code);

  /// All there are. More may come, and are told by another count().
  List All() const;
  std::size_t count() const;

  /// Sets the mechanisms and the drops.
  void AddStats(EchoTransportStats* stats) const;

 private:
  explicit IcmpSockets(std::size_t packets_at_once)
      : packets_at_once_(packets_at_once) {}

  const std::size_t packets_at_once_;
  // Constant after Open().
  std::shared_ptr<IcmpSocket> v4_;
  std::shared_ptr<IcmpSocket> v6_;

  // Of ForRequest().
  std::map<IcmpSocket::Binding, std::shared_ptr<IcmpSocket>> bound_;

  mutable Mutex mutex_;
  List all_ GUARDED_BY(mutex_);
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ICMP_SOCKETS_LINUX_H_
