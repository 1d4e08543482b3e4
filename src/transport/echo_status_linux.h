#pragma once

#include <cstdint>
#include <optional>

#include "echo_exporter/echo.h"

namespace echo_exporter {

/// The outcome of an ICMP error with this type and code, in the numbers of
/// `version`'s ICMP. Absent when the message is no error: the router that sends
/// a redirect or a source quench has forwarded the request all the same (RFC
/// 792; RFC 1122 sections 3.2.2.2 and 3.2.2.3), and the types of ICMPv6 from
/// 128 are informational (RFC 4443 section 2.1). The same outcomes as with the
/// Windows API, except `prohibited`, which that API cannot report for IPv4.
///
/// Sources: RFC 792, RFC 1812 section 5.2.7, RFC 4443. Pure.
std::optional<EchoOutcome> OutcomeOfIcmpError(IpVersion version,
                                              std::uint8_t type,
                                              std::uint8_t code);

/// The outcome of a failure to send with this errno, for a request whose source
/// is on this host or chosen by the system. Source: ip(7), raw(7), send(2).
/// Pure.
EchoOutcome OutcomeOfErrno(int code);

}  // namespace echo_exporter
