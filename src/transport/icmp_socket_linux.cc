#include "src/transport/icmp_socket_linux.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "src/base/condition_log.h"
#include "src/base/socket_address_posix.h"

// Implementation notes
//
//  a) There is no control message for "don't fragment". The option is changed
//     when a request differs from the previous one, so one socket serves both.
//     PROBE and OMIT, because DO and WANT would reject or fragment packets by a
//     path MTU learned from earlier errors, and with DONT the kernel does not
//     report "too big". IPv6 without "don't fragment" is WANT: only the sender
//     can fragment there, and only when it knows the path MTU.
//  b) A raw socket receives every ICMP packet of the host. A filter in the
//     kernel passes only echo replies with identifiers of a range, and only
//     those that were sent are taken for ours. A datagram socket has one
//     identifier for life: other flows need other sockets, see IcmpSockets.
//  c) The kernel checks the ICMP checksum after raw sockets have received their
//     copy: see ArrivalReader.

namespace echo_exporter {
namespace {

// The size of a small packet in a receive buffer, as the kernel counts.
constexpr std::size_t kPacketTruesize = 1024;
constexpr std::size_t kSmallestBuffer = std::size_t{1} << 20;
constexpr std::size_t kLargestBuffer = std::size_t{64} << 20;
constexpr int kSendBuffer = 1 << 22;

// One for all sockets, which come and go with their sources.
ConditionLog& SmallBuffers() {
  static ConditionLog log(
      {.begins = "the receive buffer is smaller than the load requires; "
                 "replies that do not fit are lost and counted; increase "
                 "net.core.rmem_max",
       .subject = "ip_version",
       .reason = "size"});
  return log;
}

template <typename Value>
bool SetOption(int fd, int level, int option, const Value& value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

bool TurnOn(int fd, int level, int option) {
  return SetOption(fd, level, option, 1);
}

std::uint16_t RandomNumber() {
  std::uint16_t number = 0;
  // Never fails for so few bytes (getrandom(2)).
  static_cast<void>(getrandom(&number, sizeof(number), 0));
  return number;
}

template <typename Value>
std::uint8_t* AppendControl(int level, int type, const Value& value,
                            std::uint8_t* end) {
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof(value));
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(end, &header, sizeof(header));
  std::memcpy(end + CMSG_LEN(0), &value, sizeof(value));
  return end + CMSG_SPACE(sizeof(value));
}

Error OpenError(IpVersion version, int code) {
  const std::string what = std::string("opening an ICMPv") +
                           (version == IpVersion::kV4 ? "4" : "6") +
                           " socket: ";
  if (code == EPERM || code == EACCES) {
    return {ErrorCode::kNotAllowed,
            what +
                "neither datagram nor raw sockets are allowed; include a group "
                "of this process in the sysctl net.ipv4.ping_group_range, or "
                "give it the capability CAP_NET_RAW: " +
                ErrnoText(code)};
  }
  return {
      code == EAFNOSUPPORT ? ErrorCode::kUnsupported : ErrorCode::kUnavailable,
      what + ErrnoText(code)};
}

}  // namespace

bool MayBePendingError(int code) {
  switch (code) {
    case EPERM:
    case EIO:
    case ENXIO:
    case EBADF:
    case EAGAIN:
    case ENOMEM:
    case EFAULT:
    case ENODEV:
    case EINVAL:
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:
    case ENETDOWN:
    case ENOBUFS:
      return false;
    default:
      return true;
  }
}

Result<std::unique_ptr<IcmpSocket>> IcmpSocket::Open(
    IpVersion version, std::size_t packets_at_once, const Binding* binding,
    int* code) {
  const bool v4 = version == IpVersion::kV4;
  const int family = v4 ? AF_INET : AF_INET6;
  const int protocol =
      v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6);
  const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

  Kind kind = Kind::kDatagram;
  UniqueFd fd(socket(family, SOCK_DGRAM | flags, protocol));
  // For lack of resources, a raw socket would fail with an errno of its own.
  if (!fd && errno != EMFILE && errno != ENFILE && errno != ENOMEM &&
      errno != ENOBUFS) {
    kind = Kind::kRaw;
    fd.reset(socket(family, SOCK_RAW | flags, protocol));
  }
  std::unique_ptr<IcmpSocket> opened;
  if (fd) opened.reset(new IcmpSocket(version, kind, std::move(fd)));
  if (opened == nullptr || !opened->Configure(binding)) {
    const int failure = errno;
    if (code != nullptr) *code = failure;
    return OpenError(version, failure);
  }
  opened->SizeBuffers(packets_at_once, /*log=*/code == nullptr);
  return opened;
}

// False, with errno set, when a call fails.
bool IcmpSocket::Configure(const Binding* binding) {
  const int socket = fd();
  if (!TurnOn(socket, SOL_SOCKET, SO_TIMESTAMPNS)) return false;
  const bool told = version_ == IpVersion::kV4
                        ? TurnOn(socket, IPPROTO_IP, IP_RECVERR) &&
                              TurnOn(socket, IPPROTO_IP, IP_RECVTTL)
                        : TurnOn(socket, IPPROTO_IPV6, IPV6_RECVERR) &&
                              TurnOn(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
  if (!told) return false;
  if (kind_ == Kind::kRaw) {
    id_ = static_cast<std::uint16_t>(RandomNumber() & ~kIdentifierBits);
    salt_ = RandomNumber();
    if (!AttachFilter()) return false;
  }
  return Bind(binding) && LearnIdentifier();
}

// Also makes the kernel choose a datagram socket's identifier now instead of at
// the first request: packets before that would not find the socket.
bool IcmpSocket::Bind(const Binding* binding) {
  sockaddr_storage address{};
  address.ss_family = version_ == IpVersion::kV4 ? AF_INET : AF_INET6;
  socklen_t size =
      version_ == IpVersion::kV4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (binding != nullptr) {
    size = ToSocketAddress(binding->source, &address);
    const int interface = static_cast<int>(binding->source_interface);
    if (interface != 0 &&
        !SetOption(fd(), SOL_SOCKET, SO_BINDTOIFINDEX, interface)) {
      return false;
    }
  } else if (kind_ == Kind::kRaw) {
    return true;
  }
  return bind(fd(), reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

// The kernel keeps a datagram socket's identifier where others have a port.
bool IcmpSocket::LearnIdentifier() {
  if (kind_ == Kind::kRaw) return true;
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return false;
  }
  // At the same place for both versions.
  id_ = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return true;
}

std::uint16_t IcmpSocket::IdentifierFor(const EchoFlow& flow) {
  if (kind_ == Kind::kDatagram) return id_;
  // An odd step visits all identifiers before it comes back to the first one.
  constexpr std::uint32_t kStep = 1657;
  const auto offset = static_cast<std::uint16_t>(
      (flow.owner + flow.renewals * kStep + salt_) & kIdentifierBits);
  sent_identifiers_[offset].store(true, std::memory_order_relaxed);
  return static_cast<std::uint16_t>(id_ | offset);
}

bool IcmpSocket::IsOurs(const EchoMessage& message) const {
  if (kind_ == Kind::kDatagram) return message.id == id_;
  const std::size_t offset = message.id & kIdentifierBits;
  return (message.id & ~kIdentifierBits) == id_ &&
         sent_identifiers_[offset].load(std::memory_order_relaxed);
}

bool IcmpSocket::AttachFilter() {
  const bool v4 = version_ == IpVersion::kV4;
  // A raw IPv4 socket also receives the IP header: X is its length.
  std::array<sock_filter, 8> code{{
      v4 ? sock_filter BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
         : sock_filter BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(
          BPF_JMP | BPF_JEQ | BPF_K,
          v4 ? std::uint32_t{ICMP_ECHOREPLY} : std::uint32_t{ICMP6_ECHO_REPLY},
          0, 4),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
               0xffffU & ~std::uint32_t{kIdentifierBits}),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id_, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff'ffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()),
                           .filter = code.data()};
  return SetOption(fd(), SOL_SOCKET, SO_ATTACH_FILTER, program);
}

void IcmpSocket::SizeBuffers(std::size_t packets_at_once, bool log) {
  const int wanted = static_cast<int>(std::clamp(
      packets_at_once * kPacketTruesize, kSmallestBuffer, kLargestBuffer));
  // Sizes beyond net.core.rmem_max require CAP_NET_ADMIN.
  if (!SetOption(fd(), SOL_SOCKET, SO_RCVBUFFORCE, wanted)) {
    SetOption(fd(), SOL_SOCKET, SO_RCVBUF, wanted);
  }
  if (!SetOption(fd(), SOL_SOCKET, SO_SNDBUFFORCE, kSendBuffer)) {
    SetOption(fd(), SOL_SOCKET, SO_SNDBUF, kSendBuffer);
  }
  int doubled = 0;  // as the kernel reports it (socket(7))
  socklen_t size = sizeof(doubled);
  getsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &doubled, &size);
  if (log && doubled / 2 < wanted) {
    SmallBuffers().Report(version_ == IpVersion::kV4 ? "4" : "6",
                          std::to_string(doubled / 2) + " bytes instead of " +
                              std::to_string(wanted));
  }
}

bool IcmpSocket::SetDontFragment(bool on) {
  if (dont_fragment_ == on) return true;
  bool good;
  if (version_ == IpVersion::kV4) {
    good = SetOption(fd(), IPPROTO_IP, IP_MTU_DISCOVER,
                     on ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT);
  } else {
    good = SetOption(fd(), IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                     on ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_WANT) &&
           SetOption(fd(), IPPROTO_IPV6, IPV6_DONTFRAG, on ? 1 : 0);
  }
  if (good) dont_fragment_ = on;
  return good;
}

// Returns the size of the control messages for a request.
std::size_t IcmpSocket::WriteControl(const EchoRequest& request,
                                     std::uint8_t* control) {
  const bool v4 = version_ == IpVersion::kV4;
  const int level =
      v4 ? static_cast<int>(IPPROTO_IP) : static_cast<int>(IPPROTO_IPV6);
  std::uint8_t* end = AppendControl(level, v4 ? IP_TTL : IPV6_HOPLIMIT,
                                    int{request.ttl}, control);
  if (request.tos != 0) {
    end =
        AppendControl(level, v4 ? IP_TOS : IPV6_TCLASS, int{request.tos}, end);
  }
  if (request.source && v4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, request.source->bytes().data(),
                sizeof(info.ipi_spec_dst));
    info.ipi_ifindex = static_cast<int>(request.source_interface);
    end = AppendControl(level, IP_PKTINFO, info, end);
  } else if (request.source) {
    // The socket is bound to the address, but only for an address given here
    // does the kernel check that it is still on this host.
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, request.source->bytes().data(),
                sizeof(info.ipi6_addr));
    info.ipi6_ifindex = request.source_interface;
    end = AppendControl(level, IPV6_PKTINFO, info, end);
  }
  return static_cast<std::size_t>(end - control);
}

int IcmpSocket::Send(const EchoRequest& request, RequestRecord& record) {
  if (!SetDontFragment(request.dont_fragment)) return errno;
  sockaddr_storage destination;
  iovec vector{.iov_base = packet_.data(),
               .iov_len = WriteEchoRequest(
                   version_, record.identifier, record.sequence(),
                   record.cookie, request.payload_size, packet_.data())};
  alignas(cmsghdr) std::array<std::uint8_t, 128> control;
  msghdr message{};
  message.msg_name = &destination;
  message.msg_namelen = ToSocketAddress(request.destination, &destination);
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = WriteControl(request, control.data());
  // The last step: any time from here on counts as round-trip time.
  record.set_send_took(Nanoseconds(-1));
  const SteadyTime sent = std::chrono::steady_clock::now();
  record.set_sent(sent);
  const int code = sendmsg(fd(), &message, 0) >= 0 ? 0 : errno;
  record.set_send_took(std::chrono::steady_clock::now() - sent);
  return code;
}

std::uint64_t IcmpSocket::ReceiveDrops() const {
  // The counter that SO_RXQ_OVFL reports with each packet, available at any
  // time.
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof(memory);
  getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size);
  return memory[SK_MEMINFO_DROPS];
}

}  // namespace echo_exporter
