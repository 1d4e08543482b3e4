#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/result.h"

namespace echo_exporter {

struct EchoTransportOptions {
  /// The most requests without a result at any moment, 1 .. 1,000,000.
  std::size_t max_in_flight = 4096;
  /// How long after a request's timeout the transport waits for the system's
  /// result before it ends the request as kTimeout itself.
  Nanoseconds overdue_grace = std::chrono::seconds(2);
  /// Called for each reply to a request that already had its outcome, with that
  /// request's tag, where the system reports such replies. May be empty; else
  /// under the rules of the callback.
  std::function<void(std::uint64_t tag, StrayReply)> on_stray_reply = nullptr;
  /// Clock::SuspendedTime() for this transport; called by any thread.
  std::function<Nanoseconds()> suspended_time = [] {
    return Clock::System().SuspendedTime();
  };
};

/// Properties and counters of a transport.
struct EchoTransportStats {
  /// How it sends, as in "raw_socket"; empty: the version is not supported.
  std::string ipv4_mechanism;
  std::string ipv6_mechanism;

  // Counters, from 0 at its start; absent where the system does not report
  // them.
  /// Echo replies that belong to no request of this process.
  std::optional<std::uint64_t> foreign_replies;
  /// Packets lost because this process did not read them in time.
  std::optional<std::uint64_t> receive_drops;
};

/// Sends echo requests and reports the result of each.
///
/// A request during whose flight the machine was suspended for more than
/// kShortestSuspension ends as kSuspended, whatever else it would have been: a
/// reply's round-trip time cannot be measured over a suspension either.
///
/// The callback runs exactly once per Send() that does not throw: on a thread
/// of the transport, or on the caller's before Send() returns; several threads
/// may run it at once. It must be short, must not block, must not throw and
/// must not call the transport. It never runs after the destructor has
/// returned.
///
/// Send() and Drain() are confined to one thread; everything else is
/// thread-safe.
class EchoTransport {
 public:
  using Callback = std::function<void(const EchoResult&)>;

  /// Does not wait for the network: requests in flight end as kTimeout, so call
  /// Drain() first. Memory that the system may still write to is deliberately
  /// leaked.
  virtual ~EchoTransport() = default;

  /// Sends without waiting. Requires in_flight() < max_in_flight(); beyond it
  /// the request ends at once as kNoResources. A failure to send is a result
  /// like any other. Throws std::bad_alloc, and the callback does not run for
  /// this request then.
  virtual void Send(const EchoRequest& request) = 0;

  /// Waits for at most `limit` until no request is in flight; true when none
  /// is.
  virtual bool Drain(Nanoseconds limit) = 0;

  /// Requests without a result.
  virtual std::size_t in_flight() const = 0;

  /// The limit of the options, or less where the system supports less.
  virtual std::size_t max_in_flight() const = 0;

  virtual bool Supports(IpVersion version) const = 0;

  /// One phrase for the log about the mechanism in use.
  virtual std::string Describe() const = 0;

  virtual EchoTransportStats Stats() const = 0;

  /// Whether it sends through raw sockets: it may open further ones until it is
  /// destroyed, so the process must keep that right (Linux: CAP_NET_RAW). Never
  /// changes.
  virtual bool NeedsRawSockets() const = 0;
};

/// The transport of this operating system. Fails when it can send neither
/// IPv4 nor IPv6.
Result<std::unique_ptr<EchoTransport>> CreateEchoTransport(
    const EchoTransportOptions& options, EchoTransport::Callback callback);

/// What the transport of this operating system can do.
struct EchoTransportTraits {
  /// The most requests in flight at once, whatever its options say. Windows
  /// numbers the echo requests of the whole machine with 16 bits.
  std::size_t max_in_flight;
  bool sets_tos;         ///< if not, EchoRequest::tos is ignored
  bool sets_identifier;  ///< if not, EchoRequest::flow is ignored
  /// Whether it receives replies to requests that already had their outcome.
  bool sees_stray_replies;
};
extern const EchoTransportTraits kEchoTransportTraits;

}  // namespace echo_exporter
