#include "src/transport/arrival_reader_linux.h"

#include <linux/errqueue.h>
#include <netinet/ip.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "src/base/socket_address_posix.h"
#include "src/transport/echo_status_linux.h"
#include "src/transport/icmp_socket_linux.h"

namespace echo_exporter {
namespace {

template <typename Value>
Value ReadControl(const cmsghdr* control) {
  Value value;
  std::memcpy(&value, CMSG_DATA(control), sizeof(value));
  return value;
}

// Absent for an error that this host itself reports for a failed send, which is
// the result of the send.
std::optional<ArrivedError> ReadError(const cmsghdr* control) {
  const auto error = ReadControl<sock_extended_err>(control);
  const bool v4 = error.ee_origin == SO_EE_ORIGIN_ICMP;
  if (!v4 && error.ee_origin != SO_EE_ORIGIN_ICMP6) return std::nullopt;
  ArrivedError result;
  result.outcome = OutcomeOfIcmpError(v4 ? IpVersion::kV4 : IpVersion::kV6,
                                      error.ee_type, error.ee_code);
  result.os_code = std::uint32_t{error.ee_type} << 8 | error.ee_code;
  if (result.outcome == EchoOutcome::kPacketTooBig) {
    result.mtu = error.ee_info;
  }
  // SO_EE_OFFENDER() of linux/errqueue.h: the address follows.
  sockaddr_storage offender{};
  const std::size_t size = control->cmsg_len - CMSG_LEN(sizeof(error));
  std::memcpy(&offender, CMSG_DATA(control) + sizeof(error),
              std::min(size, sizeof(offender)));
  result.offender =
      FromSocketAddress(reinterpret_cast<const sockaddr*>(&offender));
  return result;
}

// The bytes after the IPv4 header; empty when the header is incomplete.
std::span<const std::uint8_t> BehindIpHeader(
    std::span<const std::uint8_t> packet) {
  if (packet.size() < sizeof(iphdr)) return {};
  const std::size_t header = std::size_t{packet[0] & 0x0fU} * 4;
  return packet.subspan(std::min(header, packet.size()));
}

// A pair of readings further apart than this was interrupted in between, and is
// repeated; after some retries it is accepted.
constexpr Nanoseconds kCloseTogether = std::chrono::microseconds(2);
constexpr int kTries = 5;

// How much the clocks may drift apart while the wall clock is slewed: twice the
// 500 parts per million of adjtimex(2), and the error of reading.
constexpr Nanoseconds kReadingError = std::chrono::microseconds(200);
constexpr int kSlewDivisor = 1000;

// Stamps a little later than now() are of packets that arrived after Refresh().
// Older ones are of packets that were left in their queue at the reading
// before, but not for long; this process may have been stopped since.
constexpr Nanoseconds kOldest = std::chrono::seconds(120);
constexpr Nanoseconds kYoungest = std::chrono::seconds(1);

Nanoseconds ToNanoseconds(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + Nanoseconds(time.tv_nsec);
}

SteadyTime SteadyNow() { return std::chrono::steady_clock::now(); }

}  // namespace

void KernelTime::Refresh() {
  SteadyTime before, after;
  timespec wall;
  int tries = 0;
  do {
    before = SteadyNow();
    clock_gettime(CLOCK_REALTIME, &wall);
    after = SteadyNow();
  } while (after - before > kCloseTogether && ++tries < kTries);
  Refresh(before + (after - before) / 2, ToNanoseconds(wall));
}

void KernelTime::Refresh(SteadyTime now, Nanoseconds wall) {
  const Nanoseconds offset = wall - now.time_since_epoch();
  const Nanoseconds allowed = kReadingError + (now - now_) / kSlewDivisor;
  stepped_ = !fresh_ && std::chrono::abs(offset - offset_) > allowed;
  fresh_ = false;
  oldest_ = now_ - kOldest;
  offset_ = offset;
  now_ = now;
}

SteadyTime KernelTime::SteadyTimeOf(const timespec& wall) const {
  if (stepped_) return now_;
  const SteadyTime time(ToNanoseconds(wall) - offset_);
  return time < oldest_ || time > now_ + kYoungest ? now_ : time;
}

ArrivalReader::ArrivalReader()
    : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kBatch *
                                                            kPacketSize)) {
  arrivals_.reserve(kBatch);
  for (std::size_t i = 0; i < kBatch; ++i) {
    vectors_[i] = {.iov_base = bytes_.get() + i * kPacketSize,
                   .iov_len = kPacketSize};
    headers_[i] = {};
    headers_[i].msg_hdr.msg_name = &peers_[i];
    headers_[i].msg_hdr.msg_iov = &vectors_[i];
    headers_[i].msg_hdr.msg_iovlen = 1;
    headers_[i].msg_hdr.msg_control = controls_[i].data();
  }
}

bool ArrivalReader::Read(const IcmpSocket& socket, bool errors) {
  arrivals_.clear();
  packets_ = 0;
  damaged_ = 0;
  last_time_ = now();
  // The previous call has overwritten the sizes.
  for (mmsghdr& header : headers_) {
    header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    header.msg_hdr.msg_controllen = kControlSize;
  }
  const int count =
      recvmmsg(socket.fd(), headers_.data(), kBatch,
               MSG_DONTWAIT | (errors ? MSG_ERRQUEUE : 0), nullptr);
  // A pending error of the socket makes one call fail; the next call reads the
  // queue.
  if (count < 0) return errno != EAGAIN && errno != EINTR;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    Arrival arrival;
    arrival.time = now();
    ParseControl(headers_[i].msg_hdr, &arrival);
    if (errors && !arrival.error) continue;
    last_time_ =
        packets_ == 0 ? arrival.time : std::max(last_time_, arrival.time);
    ++packets_;
    if (ParseMessage(socket, i, &arrival)) arrivals_.push_back(arrival);
  }
  return count > 0;
}

// False when it is not an echo message of this socket, or not intact.
bool ArrivalReader::ParseMessage(const IcmpSocket& socket, std::size_t i,
                                 Arrival* arrival) {
  std::span<const std::uint8_t> bytes(bytes_.get() + i * kPacketSize,
                                      headers_[i].msg_len);
  const bool raw_v4 = socket.kind() == IcmpSocket::Kind::kRaw &&
                      socket.version() == IpVersion::kV4;
  if (raw_v4 && !arrival->error) bytes = BehindIpHeader(bytes);
  const auto message = ReadEchoMessage(bytes);
  if (!message || !socket.IsOurs(*message)) return false;
  const auto peer = FromSocketAddress(
      static_cast<const sockaddr*>(headers_[i].msg_hdr.msg_name));
  arrival->message = *message;
  if (peer) arrival->peer = *peer;
  if (arrival->error) return peer.has_value();
  if (!peer || !IsEchoReply(socket.version(), *message) ||
      (raw_v4 && InternetChecksum(bytes) != 0)) {
    ++damaged_;
    return false;
  }
  return true;
}

void ArrivalReader::ParseControl(const msghdr& header, Arrival* arrival) const {
  for (const cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header),
                             const_cast<cmsghdr*>(control))) {
    const int type = control->cmsg_type;
    switch (control->cmsg_level) {
      case SOL_SOCKET:
        if (type == SCM_TIMESTAMPNS) {
          arrival->time =
              kernel_time_.SteadyTimeOf(ReadControl<timespec>(control));
        }
        break;
      case IPPROTO_IP:
        if (type == IP_TTL) {
          arrival->ttl = static_cast<std::uint8_t>(ReadControl<int>(control));
        } else if (type == IP_RECVERR) {
          arrival->error = ReadError(control);
        }
        break;
      case IPPROTO_IPV6:
        if (type == IPV6_HOPLIMIT) {
          arrival->ttl = static_cast<std::uint8_t>(ReadControl<int>(control));
        } else if (type == IPV6_RECVERR) {
          arrival->error = ReadError(control);
        }
        break;
    }
  }
}

}  // namespace echo_exporter
