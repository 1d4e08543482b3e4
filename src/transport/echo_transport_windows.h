#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_TRANSPORT_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_TRANSPORT_WINDOWS_H_

#include <memory>

#include "echo_exporter/echo_transport.h"
#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {

/// CreateEchoTransport() with the system calls given: where tests put a
/// scripted system. What `api` points to must outlive the transport, and, if
/// requests are still in flight at its end, the process.
Result<std::unique_ptr<EchoTransport>> CreateWindowsEchoTransport(
    const IcmpApi& api, const EchoTransportOptions& options,
    EchoTransport::Callback callback);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_TRANSPORT_WINDOWS_H_
