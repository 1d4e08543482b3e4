#include "echo_exporter/echo.h"

namespace echo_exporter {

std::string_view EchoOutcomeName(EchoOutcome outcome) {
  switch (outcome) {
    case EchoOutcome::kReply:
      return "reply";
    case EchoOutcome::kTimeout:
      return "timeout";
    case EchoOutcome::kNetUnreachable:
      return "net_unreachable";
    case EchoOutcome::kHostUnreachable:
      return "host_unreachable";
    case EchoOutcome::kProtocolUnreachable:
      return "protocol_unreachable";
    case EchoOutcome::kPortUnreachable:
      return "port_unreachable";
    case EchoOutcome::kProhibited:
      return "prohibited";
    case EchoOutcome::kTtlExpired:
      return "ttl_expired";
    case EchoOutcome::kPacketTooBig:
      return "packet_too_big";
    case EchoOutcome::kCorruptReply:
      return "corrupt_reply";
    case EchoOutcome::kBadSource:
      return "bad_source";
    case EchoOutcome::kNoResources:
      return "no_resources";
    case EchoOutcome::kSuspended:
      return "suspended";
    case EchoOutcome::kGeneralFailure:
      return "general_failure";
    case EchoOutcome::kOther:
      break;
  }
  return "other";
}

}  // namespace echo_exporter
