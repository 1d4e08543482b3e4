#include "src/transport/echo_status_linux.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include <cerrno>

namespace echo_exporter {
namespace {

EchoOutcome OutcomeOfUnreachableV4(std::uint8_t code) {
  switch (code) {
    case ICMP_NET_UNREACH:
    case ICMP_SR_FAILED:
    case ICMP_NET_UNKNOWN:
    case ICMP_NET_UNR_TOS:
      return EchoOutcome::kNetUnreachable;
    case ICMP_HOST_UNREACH:
    case ICMP_HOST_UNKNOWN:
    case ICMP_HOST_ISOLATED:
    case ICMP_HOST_UNR_TOS:
      return EchoOutcome::kHostUnreachable;
    case ICMP_PROT_UNREACH:
      return EchoOutcome::kProtocolUnreachable;
    case ICMP_PORT_UNREACH:
      return EchoOutcome::kPortUnreachable;
    case ICMP_FRAG_NEEDED:
      return EchoOutcome::kPacketTooBig;
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
    case ICMP_PREC_VIOLATION:
    case ICMP_PREC_CUTOFF:
      return EchoOutcome::kProhibited;
    default:
      return EchoOutcome::kOther;
  }
}

EchoOutcome OutcomeOfUnreachableV6(std::uint8_t code) {
  constexpr std::uint8_t kSourcePolicyFailed = 5;
  constexpr std::uint8_t kRouteRejected = 6;
  switch (code) {
    case ICMP6_DST_UNREACH_NOROUTE:
      return EchoOutcome::kNetUnreachable;
    case ICMP6_DST_UNREACH_ADMIN:
    case kSourcePolicyFailed:
    case kRouteRejected:
      return EchoOutcome::kProhibited;
    case ICMP6_DST_UNREACH_ADDR:
      return EchoOutcome::kHostUnreachable;
    case ICMP6_DST_UNREACH_NOPORT:
      return EchoOutcome::kPortUnreachable;
    default:
      return EchoOutcome::kOther;
  }
}

}  // namespace

std::optional<EchoOutcome> OutcomeOfIcmpError(IpVersion version,
                                              std::uint8_t type,
                                              std::uint8_t code) {
  if (version == IpVersion::kV4) {
    switch (type) {
      case ICMP_DEST_UNREACH:
        return OutcomeOfUnreachableV4(code);
      case ICMP_TIME_EXCEEDED:
        return EchoOutcome::kTtlExpired;
      case ICMP_SOURCE_QUENCH:
      case ICMP_REDIRECT:
        return std::nullopt;
      default:
        return EchoOutcome::kOther;
    }
  }
  if ((type & ICMP6_INFOMSG_MASK) != 0) return std::nullopt;
  switch (type) {
    case ICMP6_DST_UNREACH:
      return OutcomeOfUnreachableV6(code);
    case ICMP6_PACKET_TOO_BIG:
      return EchoOutcome::kPacketTooBig;
    case ICMP6_TIME_EXCEEDED:
      return EchoOutcome::kTtlExpired;
    default:
      return EchoOutcome::kOther;
  }
}

EchoOutcome OutcomeOfErrno(int code) {
  switch (code) {
    case ENETUNREACH:
      return EchoOutcome::kNetUnreachable;
    case EHOSTUNREACH:
    case EHOSTDOWN:
      return EchoOutcome::kHostUnreachable;
    case EMSGSIZE:
      return EchoOutcome::kPacketTooBig;
    case EACCES:  // a prohibiting route
    case EPERM:   // a packet filter of this host
      return EchoOutcome::kProhibited;
    case EADDRNOTAVAIL:
    case ENODEV:  // the adapter to send from has been removed
    case ENXIO:
      return EchoOutcome::kBadSource;
    case EAGAIN:  // the socket's send buffer is full
    case ENOBUFS:
    case ENOMEM:
    case EMFILE:  // no descriptor for a socket
    case ENFILE:
      return EchoOutcome::kNoResources;
    case EAFNOSUPPORT:  // this host does not have the IP version
    case ENETDOWN:
    case EIO:
      return EchoOutcome::kGeneralFailure;
    default:
      return EchoOutcome::kOther;
  }
}

}  // namespace echo_exporter
