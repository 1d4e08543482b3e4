#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_STATUS_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_STATUS_WINDOWS_H_

#include <cstdint>

#include "echo_exporter/echo.h"

namespace echo_exporter {

// IP_STATUS values that the transport itself uses (ipexport.h).
inline constexpr std::uint32_t kIpSuccess = 0;
inline constexpr std::uint32_t kIpRequestTimedOut = 11010;
inline constexpr std::uint32_t kIpPending = 11255;

/// The outcome of a status of the ICMP API. `code` may be an IP_STATUS (11000
/// and above) from a reply buffer, or a Win32 error from GetLastError() after
/// the call: the API mixes both, so one table serves both. IP_PENDING counts as
/// a local failure: it is never final, and the transport writes it into a reply
/// buffer to detect whether the system has written a status.
///
/// Sources: ICMP_ECHO_REPLY and IcmpSendEcho2Ex in the Windows SDK
/// documentation, ipexport.h, winerror.h. Pure.
EchoOutcome OutcomeOfStatus(std::uint32_t code, IpVersion version);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_STATUS_WINDOWS_H_
