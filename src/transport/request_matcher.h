#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "src/transport/echo_packet.h"
#include "src/transport/request_table.h"

namespace echo_exporter {

/// An ICMP error about an echo request.
struct ArrivedError {
  /// Absent: it ends nothing, as a redirect.
  std::optional<EchoOutcome> outcome;
  std::uint32_t os_code = 0;  ///< type * 256 + code
  std::uint32_t mtu = 0;      ///< of kPacketTooBig; 0 when not reported
  std::optional<IpAddress> offender;
};

/// A received packet: an echo reply, or an ICMP error with the request that it
/// quotes.
struct Arrival {
  EchoMessage message;
  /// The sender of a reply; for an error, the destination of the request.
  IpAddress peer;
  std::optional<std::uint8_t> ttl;
  SteadyTime time{};
  std::optional<ArrivedError> error;
};

/// Determines the result of each request: finds the request of an arrival,
/// classifies the arrival, and expires requests. Pure: no socket, no clock.
///
/// A reply belongs to a request when it has its identifier, its sequence number
/// and its whole payload, including the cookie. A packet from a request's
/// destination with its numbers and another payload may be a damaged reply or a
/// forgery: it does not end the request, but if no intact reply arrives in
/// time, the request ends as kCorruptReply instead of kTimeout.
///
/// Replies and errors come from different queues, so what is read first need
/// not have arrived first: an error ends its request only at the next Expire(),
/// unless a reply turns out to have arrived before it.
///
/// A request during which the machine was suspended ends as kSuspended, with
/// whatever it ends.
///
/// Not thread-safe: the owner locks.
class RequestMatcher {
 public:
  /// The events to report, in order.
  struct Verdicts {
    std::vector<EchoResult> results;
    std::vector<std::pair<std::uint64_t, StrayReply>> strays;  ///< by tag
    std::uint64_t foreign_replies = 0;
  };

  /// `max_in_flight`: 1 .. 1,000,000.
  explicit RequestMatcher(std::size_t max_in_flight) : table_(max_in_flight) {}

  /// How long the machine has been suspended in total by now; to be called
  /// before the functions below that take a time.
  void SetSuspendedTime(Nanoseconds total) {
    suspended_ = std::max(suspended_, total);
  }

  /// RequestTable::Begin(); the record stays valid.
  RequestRecord* Begin(const EchoRequest& request, std::uint64_t cookie,
                       SteadyTime now) {
    RequestRecord* const record = table_.Begin(request, cookie, now);
    if (record != nullptr) record->suspended = suspended_;
    return record;
  }

  /// Ends a request that could not be sent; the caller reports its result.
  /// False when it has ended already.
  bool EndUnsent(RequestRecord& record);

  /// `now`: when the arrival was read, not before it arrived.
  void Classify(const Arrival& arrival, SteadyTime now);

  /// Ends the requests about which an error had arrived by `horizon`, and those
  /// whose timeout was over; everything that had arrived by then must have been
  /// classified.
  void Expire(SteadyTime horizon);

  /// Ends all requests, as kTimeout unless they are kSuspended.
  void Abandon();

  /// RequestTable::NextDeadline(), or the past while an error waits for
  /// Expire().
  std::optional<SteadyTime> NextDeadline() const {
    return errors_.empty() ? table_.NextDeadline() : SteadyTime::min();
  }

  /// Swaps the verdicts since the last call with `emptied`, whose memory is
  /// reused.
  void TakeVerdicts(Verdicts* emptied) { std::swap(verdicts_, *emptied); }

 private:
  void ClassifyReply(const Arrival& reply, SteadyTime now);
  void ClassifyError(const Arrival& error, SteadyTime now);
  void ClassifyForeign(const Arrival& reply);
  bool WasSuspended(const RequestRecord& record) const;
  void End(RequestRecord& record, RequestRecord::State state,
           EchoResult result);

  /// An error that waits for Expire().
  struct PendingError {
    RequestRecord* record;
    std::uint64_t number;  ///< of the record's request
    SteadyTime time;
    EchoResult result;
  };

  bool ErrorCameFirst(const RequestRecord& record, SteadyTime reply) const;
  void EndByErrors(SteadyTime horizon);

  RequestTable table_;
  std::vector<PendingError> errors_;
  Nanoseconds suspended_{};
  Verdicts verdicts_;
};

}  // namespace echo_exporter
