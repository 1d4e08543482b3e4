// What ICMP echo costs on Linux without an exporter around it: sends echo
// requests to loopback addresses at a steady rate, receives the replies, and
// prints one line of what it measured.
//
//   icmp_floor RATE SECONDS     RATE: requests a second; 0: as many as it can
//
// Implementation notes:
//   a) On loopback the kernel takes a request to the other end and back inside
//      of the call that sends it, so the replies are there when sendmmsg()
//      returns. One thread thus needs no waking, which is cheapest.
//   b) A datagram socket is open to the groups in net.ipv4.ping_group_range; a
//      raw one needs CAP_NET_RAW, gets the replies to all processes, each with
//      its IP header, and leaves the checksum to us.
//   c) Replies carry the time of sending, so nothing has to be looked up. Only
//      the first request of a call knows it: the others wait for those before
//      them, and their round-trip times are left out.

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace echo_exporter {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;  // all times: nanoseconds
// Between two looks at what is due: a daemon's trade of wake-ups for lag.
constexpr std::int64_t kPeriod = kSecond / 1000;
// Requests a system call. More of them cost no less.
constexpr int kBatch = 16;
constexpr int kReceiveBuffer = 8 << 20;
constexpr std::uint32_t kFirstAddress = 0x7F010001;  // 127.1.0.1
constexpr std::int64_t kAddresses = 50'000;          // at full speed

struct Packet {
  icmphdr header;
  std::int64_t sent;  // CLOCK_REALTIME, as receive timestamps; 0: not known
  std::array<std::uint8_t, 24> rest;
};
static_assert(sizeof(Packet) == sizeof(icmphdr) + 32);

constexpr std::size_t kIpHeaderSize = 20;  // on loopback without options

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::int64_t ToNanoseconds(const timespec& time) {
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::int64_t Now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return ToNanoseconds(time);
}

std::int64_t CpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
         usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/// The Internet checksum (RFC 1071) of a packet whose own field is zero.
std::uint16_t Checksum(const Packet& packet) {
  std::array<std::uint16_t, sizeof(Packet) / 2> words;
  std::memcpy(words.data(), &packet, sizeof(packet));
  std::uint32_t sum = 0;
  for (const std::uint16_t word : words) sum += word;
  sum = (sum & 0xFFFF) + (sum >> 16);
  sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

class Loop {
 public:
  Loop(std::int64_t rate, std::int64_t seconds);
  ~Loop() { close(socket_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Run();

 private:
  void OpenSocket();
  void PrepareMessages();
  void Send(std::int64_t count);
  void Receive();
  void ReceiveWithin(std::int64_t nanoseconds);
  void Record(const msghdr& message, std::size_t size);
  void Print(std::int64_t elapsed, std::int64_t cpu);

  const std::int64_t rate_;
  const std::int64_t seconds_;
  const std::int64_t addresses_ = rate_ == 0 ? kAddresses : rate_;
  const std::uint16_t id_ = static_cast<std::uint16_t>(getpid());

  int socket_ = -1;
  bool raw_ = false;
  std::int64_t sent_ = 0;
  std::int64_t received_ = 0;
  std::vector<std::int32_t> rtts_;

  std::array<Packet, kBatch> requests_{};
  std::array<sockaddr_in, kBatch> destinations_{};
  std::array<iovec, kBatch> request_parts_{};
  std::array<mmsghdr, kBatch> outgoing_{};

  struct Reply {
    std::array<std::uint8_t, kIpHeaderSize + sizeof(Packet)> data;
    alignas(
        cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(timespec))> control;
  };
  std::array<Reply, kBatch> replies_{};
  std::array<iovec, kBatch> reply_parts_{};
  std::array<mmsghdr, kBatch> incoming_{};
};

Loop::Loop(std::int64_t rate, std::int64_t seconds)
    : rate_(rate), seconds_(seconds) {
  OpenSocket();
  PrepareMessages();
  // Reserved is not touched: at full speed this is more than will come.
  const std::int64_t most = rate == 0 ? 1'000'000 : rate;
  rtts_.reserve(static_cast<std::size_t>(most * seconds));
}

void Loop::OpenSocket() {
  constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  socket_ = socket(AF_INET, SOCK_DGRAM | kFlags, IPPROTO_ICMP);
  if (socket_ < 0) {
    socket_ = socket(AF_INET, SOCK_RAW | kFlags, IPPROTO_ICMP);
    if (socket_ < 0) Fail("opening an ICMP socket");
    raw_ = true;
    icmp_filter filter{~(1U << ICMP_ECHOREPLY)};
    if (setsockopt(socket_, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) !=
        0) {
      Fail("ICMP_FILTER");
    }
  }
  const int on = 1;
  if (setsockopt(socket_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0) {
    Fail("SO_TIMESTAMPNS");
  }
  // Beyond net.core.rmem_max for who may; losses show in what is printed.
  if (setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer,
                 sizeof(kReceiveBuffer)) != 0) {
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer,
               sizeof(kReceiveBuffer));
  }
}

void Loop::PrepareMessages() {
  for (std::size_t i = 0; i < kBatch; ++i) {
    requests_[i].header.type = ICMP_ECHO;
    requests_[i].header.un.echo.id = id_;  // a datagram socket sets its own
    destinations_[i].sin_family = AF_INET;
    request_parts_[i] = {&requests_[i], sizeof(Packet)};
    outgoing_[i].msg_hdr.msg_name = &destinations_[i];
    outgoing_[i].msg_hdr.msg_namelen = sizeof(destinations_[i]);
    outgoing_[i].msg_hdr.msg_iov = &request_parts_[i];
    outgoing_[i].msg_hdr.msg_iovlen = 1;

    reply_parts_[i] = {replies_[i].data.data(), replies_[i].data.size()};
    incoming_[i].msg_hdr.msg_iov = &reply_parts_[i];
    incoming_[i].msg_hdr.msg_iovlen = 1;
    incoming_[i].msg_hdr.msg_control = replies_[i].control.data();
  }
}

void Loop::Send(std::int64_t count) {
  // Backwards: the clock is read last.
  for (std::int64_t i = count - 1; i >= 0; --i) {
    const auto n = static_cast<std::size_t>(i);
    const std::int64_t number = sent_ + i;
    destinations_[n].sin_addr.s_addr =
        htonl(kFirstAddress + static_cast<std::uint32_t>(number % addresses_));
    Packet& request = requests_[n];
    request.header.un.echo.sequence =
        htons(static_cast<std::uint16_t>(number / addresses_));
    request.sent = i == 0 ? Now(CLOCK_REALTIME) : 0;
    request.header.checksum = 0;
    if (raw_) request.header.checksum = Checksum(request);
  }
  const int done =
      sendmmsg(socket_, outgoing_.data(), static_cast<unsigned>(count), 0);
  if (done < 0) Fail("sendmmsg");
  sent_ += done;
}

/// Takes all replies that are there.
void Loop::Receive() {
  int count = kBatch;
  while (count == kBatch) {
    for (mmsghdr& message : incoming_) {
      message.msg_hdr.msg_controllen = sizeof(Reply::control);
    }
    count = recvmmsg(socket_, incoming_.data(), kBatch, 0, nullptr);
    if (count < 0 && errno != EAGAIN) Fail("recvmmsg");
    for (int i = 0; i < count; ++i) {
      const mmsghdr& message = incoming_[static_cast<std::size_t>(i)];
      Record(message.msg_hdr, message.msg_len);
    }
  }
}

/// Waits for replies and takes them.
void Loop::ReceiveWithin(std::int64_t nanoseconds) {
  const timespec timeout{.tv_sec = nanoseconds / kSecond,
                         .tv_nsec = nanoseconds % kSecond};
  pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
  if (ppoll(&readable, 1, &timeout, nullptr) > 0) Receive();
}

void Loop::Record(const msghdr& message, std::size_t size) {
  const std::size_t header_size = raw_ ? kIpHeaderSize : 0;
  if (size != header_size + sizeof(Packet)) return;
  Packet reply;
  std::memcpy(
      &reply,
      static_cast<const std::uint8_t*>(message.msg_iov->iov_base) + header_size,
      sizeof(reply));
  if (raw_ && reply.header.un.echo.id != id_) return;
  ++received_;
  if (reply.sent == 0) return;
  const cmsghdr* const control = CMSG_FIRSTHDR(&message);
  if (control == nullptr || control->cmsg_type != SCM_TIMESTAMPNS) return;
  timespec arrival;
  std::memcpy(&arrival, CMSG_DATA(control), sizeof(arrival));
  rtts_.push_back(
      static_cast<std::int32_t>(ToNanoseconds(arrival) - reply.sent));
}

void Loop::Run() {
  const std::int64_t cpu_before = CpuMicroseconds();
  const std::int64_t start = Now(CLOCK_MONOTONIC);
  const std::int64_t end = start + seconds_ * kSecond;
  std::int64_t now = start;
  for (; now < end; now = Now(CLOCK_MONOTONIC)) {
    const std::int64_t due =
        rate_ == 0 ? sent_ + kBatch : (now - start) * rate_ / kSecond + 1;
    while (sent_ < due) {
      Send(std::min<std::int64_t>(kBatch, due - sent_));
      Receive();
    }
    if (rate_ == 0) continue;
    const std::int64_t next_due = start + sent_ * kSecond / rate_;
    const std::int64_t wake = std::max(next_due, now + kPeriod);
    ReceiveWithin(std::max<std::int64_t>(0, wake - Now(CLOCK_MONOTONIC)));
  }
  const std::int64_t last_end = now + kSecond;
  while (received_ < sent_ && Now(CLOCK_MONOTONIC) < last_end) {
    ReceiveWithin(kSecond / 10);
  }
  Print(now - start, CpuMicroseconds() - cpu_before);
}

void Loop::Print(std::int64_t elapsed, std::int64_t cpu) {
  std::sort(rtts_.begin(), rtts_.end());
  if (rtts_.empty()) rtts_.push_back(0);
  const auto percentile = [this](std::size_t percent) {
    return static_cast<double>(rtts_[(rtts_.size() - 1) * percent / 100]) / 1e3;
  };
  const auto sent = static_cast<double>(sent_);
  std::printf(
      "socket=%s sent=%lld replies=%lld per_second=%.0f cpu_us_per_echo=%.2f "
      "rtt_p50_us=%.1f rtt_p99_us=%.1f\n",
      raw_ ? "raw" : "datagram", static_cast<long long>(sent_),
      static_cast<long long>(received_),
      sent * 1e9 / static_cast<double>(elapsed),
      static_cast<double>(cpu) / sent, percentile(50), percentile(99));
}

/// The whole text as a number of at least `least`, or -1.
std::int64_t ParseNumber(std::string_view text, std::int64_t least) {
  std::int64_t number = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return rest == end && error == std::errc() && number >= least ? number : -1;
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  using echo_exporter::ParseNumber;
  const std::int64_t rate = argc == 3 ? ParseNumber(argv[1], 0) : -1;
  const std::int64_t seconds = argc == 3 ? ParseNumber(argv[2], 1) : -1;
  if (rate < 0 || rate > 1'000'000 || seconds < 0 || seconds > 3600) {
    std::fprintf(stderr, "usage: icmp_floor RATE SECONDS\n");
    return 2;
  }
  echo_exporter::Loop(rate, seconds).Run();
  return 0;
}
