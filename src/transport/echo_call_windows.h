#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_CALL_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_CALL_WINDOWS_H_

#include <cstdint>

#include "echo_exporter/echo.h"
#include "src/transport/echo_buffer_windows.h"
#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {

/// What the system's call for an echo request returned.
struct EchoCallReturn {
  DWORD replies = 0;
  DWORD error = 0;  ///< the last error

  /// The system has taken the request and will signal its event. 0 with a last
  /// error of 0 is not documented; if it means a failure, the watchdog ends the
  /// request.
  bool IsPending() const {
    return replies == ERROR_IO_PENDING ||
           (replies == 0 && (error == ERROR_IO_PENDING || error == 0));
  }
};

/// Hands the request to the system, with a prepared `buffer`. `icmp` is a
/// device of the destination's IP version. Writes the counter before the call
/// to `sent_ticks`; uses nothing of the request's once the call is made.
EchoCallReturn CallEcho(const IcmpApi& api, HANDLE icmp, HANDLE event,
                        const EchoRequest& request, EchoBuffer& buffer,
                        std::int64_t* sent_ticks);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_CALL_WINDOWS_H_
