#ifndef ECHO_EXPORTER_SRC_TRANSPORT_ECHO_TRANSPORT_WINDOWS_H_
#define ECHO_EXPORTER_SRC_TRANSPORT_ECHO_TRANSPORT_WINDOWS_H_

#include <memory>

#include "echo_exporter/echo_transport.h"
#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {

/// CreateEchoTransport() with injected system calls, for tests with a scripted
/// system. The functions of `api` must outlive the transport, or stay valid
/// until the process ends if requests are still in flight at its end.
Result<std::unique_ptr<EchoTransport>> CreateWindowsEchoTransport(
    const IcmpApi& api, const EchoTransportOptions& options,
    EchoTransport::Callback callback);

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_TRANSPORT_ECHO_TRANSPORT_WINDOWS_H_
