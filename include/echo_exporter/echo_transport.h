#ifndef ECHO_EXPORTER_ECHO_TRANSPORT_H_
#define ECHO_EXPORTER_ECHO_TRANSPORT_H_

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
  /// Most requests without a result at any moment, 1 .. 1,000,000.
  std::size_t max_in_flight = 4096;
  /// How long after its timeout a request may go without a word from the
  /// system before the transport gives it the outcome kTimeout by itself.
  Nanoseconds overdue_grace = std::chrono::seconds(2);
  /// Told of each reply to a request that had its outcome already, with that
  /// request's tag, where the system shows such replies. May be empty; else
  /// under the rules of the callback.
  std::function<void(std::uint64_t tag, StrayReply)> on_stray_reply = nullptr;
};

/// What a transport knows beside its results.
struct EchoTransportStats {
  /// How it sends, as in "raw_socket"; empty: it does not send that version.
  std::string ipv4_mechanism;
  std::string ipv6_mechanism;

  // Counters, from 0 at its start; absent where the system does not tell.
  /// Echo replies that belong to no request of this process.
  std::optional<std::uint64_t> foreign_replies;
  /// Packets lost because this process did not read them in time.
  std::optional<std::uint64_t> receive_drops;
};

/// Sends echo requests and reports what became of each.
///
/// The callback runs exactly once per Send(): on a thread of the transport,
/// or on the sender's before Send() returns; several threads may be in it at
/// once. It must be short, must not block, must not throw and must not call
/// the transport. It never runs after the destructor has returned.
///
/// Send() and Drain() are confined to one thread; everything else is
/// thread-safe.
class EchoTransport {
 public:
  using Callback = std::function<void(const EchoResult&)>;

  /// Does not wait for the network: what is in flight ends as kTimeout, so
  /// call Drain() first. What the system has not given back stays allocated on
  /// purpose, because the system may yet write to it.
  virtual ~EchoTransport() = default;

  /// Sends without waiting. Requires in_flight() < max_in_flight(); beyond it
  /// the request ends at once as kNoResources. A failure to send is a result
  /// like any other.
  virtual void Send(const EchoRequest& request) = 0;

  /// Waits until nothing is in flight or the time is over; true when nothing
  /// is.
  virtual bool Drain(Nanoseconds limit) = 0;

  /// Requests without a result.
  virtual std::size_t in_flight() const = 0;

  /// What the options asked for, or less where the system serves less.
  virtual std::size_t max_in_flight() const = 0;

  virtual bool Supports(IpVersion version) const = 0;

  /// One phrase for the log: which mechanism sends.
  virtual std::string Describe() const = 0;

  virtual EchoTransportStats Stats() const = 0;

  /// Whether it sends through raw sockets: it may open further ones as long as
  /// it lives, so the process must keep the right to (Linux: CAP_NET_RAW).
  /// Never changes.
  virtual bool NeedsRawSockets() const = 0;
};

/// The transport of this operating system. Fails when it can send neither
/// IPv4 nor IPv6.
Result<std::unique_ptr<EchoTransport>> CreateEchoTransport(
    const EchoTransportOptions& options, EchoTransport::Callback callback);

/// Whether this operating system lets a program choose the type of service of
/// an echo request. Where not, EchoRequest::tos is ignored.
bool EchoTransportSetsTos();

/// Whether this operating system's transport sees replies to requests that had
/// their outcome already.
bool EchoTransportSeesStrayReplies();

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_ECHO_TRANSPORT_H_
