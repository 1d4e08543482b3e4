#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ARRIVAL_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ARRIVAL_H_

#include <cstdint>
#include <optional>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "src/transport/echo_packet.h"

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

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ARRIVAL_H_
