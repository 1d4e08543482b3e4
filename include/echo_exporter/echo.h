#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "echo_exporter/clock.h"
#include "echo_exporter/ip_address.h"

namespace echo_exporter {

/// How one echo request ended. Exactly one of these per request.
enum class EchoOutcome : std::uint8_t {
  kReply,                ///< an intact echo reply within the timeout
  kTimeout,              ///< nothing, or a reply after the timeout
  kNetUnreachable,       ///< no route, here or at a router
  kHostUnreachable,      ///< the last hop cannot reach the address
  kProtocolUnreachable,  ///< the host rejects ICMP echo
  kPortUnreachable,
  kProhibited,    ///< rejected by a filter
  kTtlExpired,    ///< a router counted the TTL down to zero
  kPacketTooBig,  ///< larger than a link's MTU and not to be fragmented
  kCorruptReply,  ///< a reply whose payload is not the request's
  kBadSource,     ///< the source address is not on this host (now)
  kNoResources,   ///< this host ran out of memory, handles or buffers
  /// This machine was suspended for more than kShortestSuspension while the
  /// request was in flight, so that nothing is known of the network.
  kSuspended,
  kGeneralFailure,  ///< the IP stack failed without a more specific code
  kOther,           ///< any code not named above
};

inline constexpr std::size_t kEchoOutcomeCount = 15;

/// The value of the `outcome` label, as in "net_unreachable".
std::string_view EchoOutcomeName(EchoOutcome outcome);

/// Whether this host alone is the reason for the outcome, which says nothing of
/// the network: neither a reply nor a loss, and no change of a pair's state.
constexpr bool IsOfThisHost(EchoOutcome outcome) {
  return outcome == EchoOutcome::kNoResources ||
         outcome == EchoOutcome::kSuspended;
}

/// What counts as loss, everywhere: an outcome that is neither a reply nor of
/// this host. The loss ratio is losses / (losses + replies).
constexpr bool IsLoss(EchoOutcome outcome) {
  return outcome != EchoOutcome::kReply && !IsOfThisHost(outcome);
}

/// A machine that was suspended for longer than this ends what was in flight.
inline constexpr Nanoseconds kShortestSuspension = std::chrono::seconds(1);

/// What a request's ICMP identifier is chosen by. Routers and firewalls that
/// keep state tell flows apart by source, destination and identifier, so a new
/// identifier begins a new flow. Ignored where the system owns the identifier:
/// see EchoTransportTraits.
struct EchoFlow {
  enum class Kind : std::uint8_t {
    kSteady,  ///< equal owners and renewals have equal identifiers
    kBrief,   ///< the same, for a few requests of a short time, as of a /probe
    kFresh,   ///< an identifier of its own, `renewals` counting the requests
  };
  Kind kind = Kind::kSteady;
  std::uint32_t owner = 0;  ///< such as a pair's number
  /// How often the owner has gone on under another identifier; an earlier one
  /// is not chosen again before many renewals.
  std::uint32_t renewals = 0;
};

/// The parameters of one echo request. A value: copied into the transport.
struct EchoRequest {
  /// Returned in the EchoResult; not interpreted by the transport.
  std::uint64_t tag = 0;
  IpAddress destination;
  /// Absent: the system chooses. Present: same IP version as `destination`.
  std::optional<IpAddress> source;
  /// Number of the adapter to send from, for a present source; 0: chosen by the
  /// system's routes. Windows uses the source alone.
  std::uint32_t source_interface = 0;
  Nanoseconds timeout{};           ///< 1 ms .. 60 s
  std::uint16_t payload_size = 0;  ///< bytes after the ICMP header, 0 .. 65500
  std::uint8_t ttl = 128;          ///< 1 .. 255
  /// The type of service or traffic class octet, 0 .. 255; see
  /// EchoTransportTraits.
  std::uint8_t tos = 0;
  bool dont_fragment = false;
  EchoFlow flow;
};

/// The result of an EchoRequest.
struct EchoResult {
  std::uint64_t tag = 0;
  EchoOutcome outcome = EchoOutcome::kOther;
  /// From sending the request to its end. The round-trip time when the outcome
  /// is kReply; never negative.
  Nanoseconds rtt{};
  /// How long after the reply's arrival this process read it: the error that a
  /// plain user-space measurement of `rtt` would have.
  Nanoseconds completion_delay{};
  /// TTL or hop limit of a reply, where the system reports it: not for IPv6 on
  /// Windows.
  std::optional<std::uint8_t> reply_ttl;
  /// The sender of the reply or error: the destination or a router.
  std::optional<IpAddress> responder;
  /// The operating system's own code, for logs; 0 when there is none.
  std::uint32_t os_code = 0;
  /// For kPacketTooBig, the size of the largest packet that would have fitted,
  /// in bytes; 0 when it was not reported.
  std::uint32_t mtu = 0;
};

/// A reply to a request that already had its outcome.
enum class StrayReply : std::uint8_t {
  kLate,       ///< the request had timed out, or had ended by an error
  kDuplicate,  ///< the request had its reply
};

inline constexpr std::size_t kStrayReplyCount = 2;

}  // namespace echo_exporter
