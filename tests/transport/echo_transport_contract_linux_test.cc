#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "echo_exporter/echo_transport.h"
#include "tests/support/echo_transport_contract.h"
#include "tests/support/network_namespace_linux.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// The real transport in a network namespace of the test.
class NamespaceRig final : public EchoTransportRig {
 public:
  NamespaceRig(AllowedSockets sockets, const char* answering,
               const char* silent)
      : answering_(*IpAddress::Parse(answering)),
        silent_(*IpAddress::Parse(silent)) {
    if (NetworkNamespace::IsAllowed()) network_.emplace(sockets);
  }
  std::string WhyNot() override {
    return network_ ? "" : "making a network namespace needs root";
  }
  Result<std::unique_ptr<EchoTransport>> Create(
      const EchoTransportOptions& options,
      EchoTransport::Callback callback) override {
    return CreateEchoTransport(options, std::move(callback));
  }
  EchoRequest Answered() override {
    return RequestTo(answering_, seconds(300));
  }
  EchoRequest Unanswered() override { return RequestTo(silent_, hours(1)); }

 private:
  static EchoRequest RequestTo(const IpAddress& destination,
                               Nanoseconds timeout) {
    EchoRequest request;
    request.destination = destination;
    request.timeout = timeout;
    request.payload_size = 32;
    return request;
  }

  const IpAddress answering_;
  const IpAddress silent_;
  std::optional<NetworkNamespace> network_;
};

EchoTransportRigParam Param(std::string name, AllowedSockets sockets,
                            const char* answering, const char* silent) {
  return {std::move(name), [=] {
            return std::make_unique<NamespaceRig>(sockets, answering, silent);
          }};
}

INSTANTIATE_TEST_SUITE_P(
    LinuxTransport, EchoTransportContractTest,
    testing::Values(
        Param("Ipv4DatagramSocket", AllowedSockets::kDatagram, "127.0.0.1",
              "192.0.2.9"),
        Param("Ipv4RawSocket", AllowedSockets::kRaw, "127.0.0.1", "192.0.2.9"),
        Param("Ipv6DatagramSocket", AllowedSockets::kDatagram, "::1",
              "2001:db8::9"),
        Param("Ipv6RawSocket", AllowedSockets::kRaw, "::1", "2001:db8::9")),
    NameOfRig);

}  // namespace
}  // namespace echo_exporter
