#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_STATUS_LINUX_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_STATUS_LINUX_H_

#include <cstdint>

#include "echo_exporter/echo.h"

namespace echo_exporter {

/// The outcome that an ICMP error of this type and code stands for, in the
/// numbers of `version`'s ICMP. The same outcomes as the Windows API gives,
/// apart from `prohibited`, which that API cannot tell for IPv4.
///
/// Sources: RFC 792, RFC 1812 section 5.2.7, RFC 4443. Pure.
EchoOutcome OutcomeOfIcmpError(IpVersion version, std::uint8_t type,
                               std::uint8_t code);

/// The outcome that a failure to send with this errno stands for, of a request
/// whose source is this host's or left to the system. Source: ip(7), raw(7),
/// send(2). Pure.
EchoOutcome OutcomeOfErrno(int code);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_STATUS_LINUX_H_
