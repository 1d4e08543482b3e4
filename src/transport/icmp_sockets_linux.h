#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"
#include "src/base/mutex.h"
#include "src/transport/icmp_socket_linux.h"

namespace echo_exporter {

/// The sockets of a transport: one per IP version, one for each IPv6 source,
/// and, where they are datagram sockets, further ones for other identifiers.
///
/// IPv6 needs the second because its control messages do not select a source
/// reliably: on a datagram socket the kernel ignores the address
/// (ping_v6_sendmsg()), and on either kind the adapter is a mere preference
/// once there is an address (ip6_route_output_flags()). It respects the binding
/// of a socket.
///
/// A datagram socket has one identifier. Pairs share it, because a flow has a
/// destination as well; a pair that goes on under another one takes the next of
/// kSteadySockets. Brief and fresh flows share a socket for kBriefUse, then
/// they get a new one.
///
/// At most kMostSockets are open besides those of the IP versions. Those that
/// have been unused for long are closed when a new one is opened, and the least
/// recently used one without requests in flight when there are too many, or the
/// process may not have more. When nothing can be closed, identifiers are
/// shared, and a source without a socket has none (no_resources).
///
/// ForRequest() is confined to one thread; everything else is thread-safe.
class IcmpSockets {
 public:
  using List = std::vector<std::shared_ptr<IcmpSocket>>;

  static constexpr std::uint32_t kSteadySockets = 16;
  static constexpr std::size_t kMostSockets = 256;
  static constexpr Nanoseconds kBriefUse = std::chrono::milliseconds(250);

  /// Fails, as IcmpSocket::Open() does, when there is neither IPv4 nor IPv6.
  static Result<std::unique_ptr<IcmpSockets>> Open(std::size_t packets_at_once);

  bool Supports(IpVersion version) const {
    return (version == IpVersion::kV4 ? v4_ : v6_) != nullptr;
  }

  /// Whether an IP version uses raw sockets. Never changes.
  bool HasRaw() const;

  /// The socket for sending a request at the time `now`, valid until the next
  /// call, and as long as it has requests; null, with the errno in `code`, when
  /// there is none. `changed`: All() is not the same any more.
  IcmpSocket* ForRequest(const EchoRequest& request, SteadyTime now,
                         bool* changed, int* code);

  /// All sockets, at least as recent as a generation() that was read before.
  List All() const;
  std::uint64_t generation() const { return generation_.load(); }

  /// Sets the mechanisms and the number of drops.
  void AddStats(EchoTransportStats* stats) const;

 private:
  using Binding = IcmpSocket::Binding;

  /// What a socket is for.
  struct Place {
    IpVersion version = IpVersion::kV4;
    std::uint32_t slot = 0;  ///< one of kSteadySockets, or behind them: brief
    std::optional<Binding> binding;
    std::uint64_t retired = 0;  ///< a number of its own: after its brief use

    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Opened {
    std::shared_ptr<IcmpSocket> socket;
    SteadyTime opened{};
    SteadyTime used{};
    /// When to look whether this host has the source; absent: the kernel does.
    std::optional<SteadyTime> check;
  };

  explicit IcmpSockets(std::size_t packets_at_once)
      : packets_at_once_(packets_at_once) {}

  IcmpSocket* Find(const Place& place, SteadyTime now, int* code);
  IcmpSocket* Add(const Place& place, SteadyTime now, int* code);
  static bool HasSource(const Place& place, Opened& opened, SteadyTime now);
  void CloseUnused(SteadyTime now);
  bool CloseOne();
  void Close(const Opened& opened);

  const std::size_t packets_at_once_;
  // Constant after Open().
  std::shared_ptr<IcmpSocket> v4_;
  std::shared_ptr<IcmpSocket> v6_;

  // Of ForRequest().
  std::map<Place, Opened> opened_;
  std::uint64_t retirements_ = 0;

  std::atomic<std::uint64_t> generation_{1};
  mutable Mutex mutex_;
  List all_ GUARDED_BY(mutex_);
  /// Of closed sockets.
  std::uint64_t past_drops_ GUARDED_BY(mutex_) = 0;
};

}  // namespace echo_exporter
