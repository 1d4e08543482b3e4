#include "src/transport/icmp_api_windows.h"

namespace echo_exporter {

EchoOutcome OutcomeOfStatus(std::uint32_t code, IpVersion version) {
  switch (code) {
    case kIpSuccess:
      return EchoOutcome::kReply;
    case kIpRequestTimedOut:
      return EchoOutcome::kTimeout;

    case 11002:  // IP_DEST_NET_UNREACHABLE, IP_DEST_NO_ROUTE
    case 11012:  // IP_BAD_ROUTE
    case 1231:   // ERROR_NETWORK_UNREACHABLE
      return EchoOutcome::kNetUnreachable;
    case 11003:  // IP_DEST_HOST_UNREACHABLE, IP_DEST_ADDR_UNREACHABLE
    case 11040:  // IP_DEST_UNREACHABLE
    case 1232:   // ERROR_HOST_UNREACHABLE
      return EchoOutcome::kHostUnreachable;
    case 11004:
      // One number, two names: IP_DEST_PROT_UNREACHABLE for IPv4,
      // IP_DEST_PROHIBITED for IPv6.
      return version == IpVersion::kV4 ? EchoOutcome::kProtocolUnreachable
                                       : EchoOutcome::kProhibited;
    case 1233:  // ERROR_PROTOCOL_UNREACHABLE
      return EchoOutcome::kProtocolUnreachable;
    case 11005:  // IP_DEST_PORT_UNREACHABLE
    case 1234:   // ERROR_PORT_UNREACHABLE
      return EchoOutcome::kPortUnreachable;

    case 11013:  // IP_TTL_EXPIRED_TRANSIT, IP_HOP_LIMIT_EXCEEDED
    case 11014:  // IP_TTL_EXPIRED_REASSEM, IP_REASSEMBLY_TIME_EXCEEDED
    case 11041:  // IP_TIME_EXCEEDED
      return EchoOutcome::kTtlExpired;
    case 11009:  // IP_PACKET_TOO_BIG
      return EchoOutcome::kPacketTooBig;

    case 1214:  // ERROR_INVALID_NETNAME: the source is not on this host
      return EchoOutcome::kBadSource;

    case 11006:  // IP_NO_RESOURCES
    case 4:      // ERROR_TOO_MANY_OPEN_FILES
    case 8:      // ERROR_NOT_ENOUGH_MEMORY
    case 14:     // ERROR_OUTOFMEMORY
    case 1450:   // ERROR_NO_SYSTEM_RESOURCES
    case 1451:   // ERROR_NONPAGED_SYSTEM_RESOURCES
    case 1453:   // ERROR_WORKING_SET_QUOTA
    case 1816:   // ERROR_NOT_ENOUGH_QUOTA
      return EchoOutcome::kNoResources;

    case 11008:       // IP_HW_ERROR
    case 11050:       // IP_GENERAL_FAILURE
    case kIpPending:  // signalled, but the reply buffer was never written
      return EchoOutcome::kGeneralFailure;

    default:
      return EchoOutcome::kOther;
  }
}

}  // namespace echo_exporter
