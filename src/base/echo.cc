#include "echo_exporter/echo.h"

#include <array>

namespace echo_exporter {

std::string_view EchoOutcomeName(EchoOutcome outcome) {
  static constexpr std::array<std::string_view, kEchoOutcomeCount> kNames = {
      "reply",
      "timeout",
      "net_unreachable",
      "host_unreachable",
      "protocol_unreachable",
      "port_unreachable",
      "prohibited",
      "ttl_expired",
      "packet_too_big",
      "corrupt_reply",
      "bad_source",
      "no_resources",
      "suspended",
      "general_failure",
      "other"};
  return kNames[static_cast<std::size_t>(outcome)];
}

}  // namespace echo_exporter
