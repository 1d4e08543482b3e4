// How far the round-trip times of the transport are from the truth: sends echo
// requests to loopback addresses through EchoTransport, captures the same
// packets on the loopback interface, and prints one line that compares them.
//
//   rtt_error RATE SECONDS [--busy]     --busy: one busy loop a processor
//
// Implementation notes:
//   a) The truth is the time from the transmission of the request to the
//      arrival of the reply, both stamped by the kernel for a packet socket. A
//      packet on loopback is seen twice: going out, then coming in.
//   b) Only a socket for all protocols sees outgoing packets; packet(7).
//   c) The number of a request is in its destination, 127.10.x.y, and no
//      address is used twice: there is nothing to confuse.

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/echo_transport.h"

namespace echo_exporter {
namespace {

constexpr std::int64_t kMostRequests = 65536;    // addresses in 127.10.0.0/16
constexpr std::uint32_t kNetwork = 0x7F0A0000U;  // 127.10.0.0
constexpr std::uint32_t kNetworkMask = 0xFFFF0000U;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// A process for each processor that computes for ever, at our own priority.
/// To be made before there are threads.
class BusyProcesses {
 public:
  BusyProcesses() {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
      Fail("sched_getaffinity");
    }
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
      if (CPU_ISSET(processor, &allowed)) Start(processor);
    }
  }
  ~BusyProcesses() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
  BusyProcesses(const BusyProcesses&) = delete;
  BusyProcesses& operator=(const BusyProcesses&) = delete;

 private:
  void Start(int processor) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) Fail("fork");
    if (child > 0) {
      children_.push_back(child);
      return;
    }
    // The second condition: the parent may be gone by now.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(1);
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(processor, &only);
    sched_setaffinity(0, sizeof(only), &only);
    for (volatile bool busy = true; busy;) {
    }
    _exit(0);
  }

  std::vector<pid_t> children_;
};

/// One request, as the packets and the transport tell it. Absent times are 0.
struct Measurement {
  std::int64_t transmitted = 0;  // wall-clock nanoseconds
  std::int64_t arrived = 0;
  EchoOutcome outcome = EchoOutcome::kOther;
  Nanoseconds rtt{};
  Nanoseconds completion_delay{};
};

/// Writes the times of captured packets into measurements until destroyed.
class Capture {
 public:
  explicit Capture(std::vector<Measurement>* measurements)
      : measurements_(*measurements), socket_(Open()) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Capture() {
    stop_ = true;
    thread_.join();
    close(socket_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

 private:
  static int Open();
  void Run();
  void Record(const msghdr& message, std::size_t size);

  std::vector<Measurement>& measurements_;
  const int socket_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

int Capture::Open() {
  const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        htons(ETH_P_ALL));
  if (fd < 0) Fail("opening a packet socket");
  const int on = 1;
  const int buffer = 64 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) !=
          0) {
    Fail("setting up the packet socket");
  }
  sockaddr_ll loopback{};
  loopback.sll_family = AF_PACKET;
  loopback.sll_protocol = htons(ETH_P_ALL);
  loopback.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&loopback),
           sizeof(loopback)) != 0) {
    Fail("binding the packet socket to lo");
  }
  return fd;
}

void Capture::Run() {
  std::array<std::uint8_t, 64> packet;  // the headers; the rest is cut off
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(timespec))>
      control;
  sockaddr_ll address{};
  iovec part{packet.data(), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_name = &address;
  message.msg_control = control.data();
  while (true) {
    message.msg_namelen = sizeof(address);
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket_, &message, 0);
    if (size >= 0) {
      Record(message, static_cast<std::size_t>(size));
      continue;
    }
    // Nothing is left, so that after the stop nothing is missed.
    if (stop_) return;
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    poll(&readable, 1, 100);
  }
}

void Capture::Record(const msghdr& message, std::size_t size) {
  const auto* const bytes =
      static_cast<const std::uint8_t*>(message.msg_iov->iov_base);
  iphdr ip;
  icmphdr icmp;
  if (size < sizeof(ip) + sizeof(icmp)) return;
  std::memcpy(&ip, bytes, sizeof(ip));
  std::memcpy(&icmp, bytes + sizeof(ip), sizeof(icmp));
  if (ip.version != 4 || ip.ihl != 5 || ip.protocol != IPPROTO_ICMP) return;

  const bool outgoing =
      static_cast<const sockaddr_ll*>(message.msg_name)->sll_pkttype ==
      PACKET_OUTGOING;
  const bool request = icmp.type == ICMP_ECHO && outgoing;
  const bool reply = icmp.type == ICMP_ECHOREPLY && !outgoing;
  const std::uint32_t target = ntohl(request ? ip.daddr : ip.saddr);
  const std::size_t number = target & ~kNetworkMask;
  if ((!request && !reply) || (target & kNetworkMask) != kNetwork ||
      number >= measurements_.size()) {
    return;
  }
  const cmsghdr* const stamp = CMSG_FIRSTHDR(&message);
  if (stamp == nullptr || stamp->cmsg_type != SCM_TIMESTAMPNS) return;
  timespec time;
  std::memcpy(&time, CMSG_DATA(stamp), sizeof(time));
  Measurement& measurement = measurements_[number];
  (request ? measurement.transmitted : measurement.arrived) =
      time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

/// Sends a request to each measurement's address, evenly spread over time.
void SendAll(std::int64_t rate, std::vector<Measurement>* measurements) {
  auto created = CreateEchoTransport(
      EchoTransportOptions{.max_in_flight = kMostRequests},
      [measurements](const EchoResult& result) {
        Measurement& measurement = (*measurements)[result.tag];
        measurement.outcome = result.outcome;
        measurement.rtt = result.rtt;
        measurement.completion_delay = result.completion_delay;
      });
  if (!created.ok()) {
    std::fprintf(stderr, "%s\n", created.error().message.c_str());
    std::exit(1);
  }
  const std::unique_ptr<EchoTransport> transport = std::move(created).value();

  EchoRequest request;
  request.timeout = std::chrono::seconds(1);
  request.payload_size = 32;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t n = 0; n < measurements->size(); ++n) {
    std::this_thread::sleep_until(
        start +
        Nanoseconds(static_cast<std::int64_t>(n) * 1'000'000'000 / rate));
    request.tag = n;
    request.destination =
        IpAddress::V4({127, 10, static_cast<std::uint8_t>(n >> 8),
                       static_cast<std::uint8_t>(n & 0xFF)});
    transport->Send(request);
  }
  transport->Drain(std::chrono::seconds(5));
}

struct Percentiles {
  double p50 = 0;
  double p99 = 0;
  double max = 0;
};

/// Of nanoseconds, in microseconds.
Percentiles ComputePercentiles(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&values](std::size_t percent) {
    return static_cast<double>(values[(values.size() - 1) * percent / 100]) /
           1e3;
  };
  return {at(50), at(99), at(100)};
}

void Print(const std::vector<Measurement>& measurements) {
  std::size_t replies = 0;
  std::vector<std::int64_t> truths, errors, user_space_errors;
  for (const Measurement& m : measurements) {
    if (m.outcome != EchoOutcome::kReply) continue;
    ++replies;
    if (m.transmitted == 0 || m.arrived == 0) continue;
    const std::int64_t truth = m.arrived - m.transmitted;
    truths.push_back(truth);
    errors.push_back(std::abs(m.rtt.count() - truth));
    user_space_errors.push_back(
        std::abs((m.rtt + m.completion_delay).count() - truth));
  }
  const std::size_t compared = errors.size();
  const Percentiles truth = ComputePercentiles(std::move(truths));
  const Percentiles error = ComputePercentiles(std::move(errors));
  const Percentiles user = ComputePercentiles(std::move(user_space_errors));
  std::printf(
      "sent=%zu replies=%zu compared=%zu truth_p50_us=%.1f truth_p99_us=%.1f "
      "error_p50_us=%.1f error_p99_us=%.1f error_max_us=%.1f "
      "user_error_p50_us=%.1f user_error_p99_us=%.1f user_error_max_us=%.1f\n",
      measurements.size(), replies, compared, truth.p50, truth.p99, error.p50,
      error.p99, error.max, user.p50, user.p99, user.max);
}

void Run(std::int64_t rate, std::int64_t seconds, bool busy) {
  std::unique_ptr<BusyProcesses> load;
  if (busy) load = std::make_unique<BusyProcesses>();
  std::vector<Measurement> measurements(
      static_cast<std::size_t>(rate * seconds));
  {
    const Capture capture(&measurements);
    SendAll(rate, &measurements);
  }
  Print(measurements);
}

/// The whole text as a positive number, or 0.
std::int64_t ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return rest == end && error == std::errc() && number > 0 ? number : 0;
}

}  // namespace
}  // namespace echo_exporter

int main(int argc, char** argv) {
  using echo_exporter::ParseNumber;
  const bool busy = argc == 4 && std::string_view(argv[3]) == "--busy";
  const std::int64_t rate = argc == 3 || busy ? ParseNumber(argv[1]) : 0;
  const std::int64_t seconds = argc == 3 || busy ? ParseNumber(argv[2]) : 0;
  if (rate == 0 || seconds == 0 ||
      rate > echo_exporter::kMostRequests / seconds) {
    std::fprintf(stderr,
                 "usage: rtt_error RATE SECONDS [--busy], at most %lld "
                 "requests\n",
                 static_cast<long long>(echo_exporter::kMostRequests));
    return 2;
  }
  echo_exporter::Run(rate, seconds, busy);
  return 0;
}
