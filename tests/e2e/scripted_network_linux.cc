// A scripted network for end-to-end tests: a TUN device behind which every
// address answers ICMP echo requests as its own number says. README.md beside
// this file shows how to run it; scripted_network_plan.h holds the addresses.
//
// Implementation notes. a) A scripted delay has to be exact to a small part of
// a millisecond while the exporter and Wine use both cores. b) A burst of
// requests must not be lost before it is read. c) Nothing may be answered that
// a kernel would not answer. Hence: one thread, which sleeps in ppoll() with a
// nanosecond deadline and no timer slack, at a real-time priority when it may
// have one, and which wakes 100 us early to poll away what a virtual machine
// needs to wake up (measured: 50-90 us); a device queue of 10,000 packets; a
// parser that refuses rather than guesses. Delays count from the return of the
// read().

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <optional>
#include <queue>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "scripted_network_options_linux.h"
#include "scripted_network_packets.h"
#include "scripted_network_plan.h"
#include "tests/support/local_route_linux.h"

namespace echo_exporter::scripted_network {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestPacket = 65535;
constexpr std::chrono::microseconds kWakeEarly{100};
constexpr int kReadsBetweenDeadlines = 16;

[[noreturn]] void Fail(const std::string& doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

/// Owns a file descriptor. Confined to one thread.
class UniqueFd {
 public:
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

std::string ToString(const Address& address) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(address.is_ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text,
            sizeof text);
  return text;
}

/// The text of the address with the last byte `host` and the plan's prefix.
std::string HostText(const AddressPlan& plan, bool is_ipv6, int host) {
  Address address{.is_ipv6 = is_ipv6};
  if (is_ipv6) {
    std::ranges::copy(plan.ipv6_prefix, address.bytes.begin());
  } else {
    std::ranges::copy(plan.ipv4_prefix, address.bytes.begin());
  }
  address.bytes[is_ipv6 ? 15 : 3] = static_cast<std::uint8_t>(host);
  return ToString(address);
}

/// Runs `ip` with `arguments`; its own message goes to our standard error.
void RunIp(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ip");
  std::string command;
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    command += command.empty() ? argument : " " + argument;
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  pid_t child = 0;
  errno = posix_spawnp(&child, "ip", nullptr, nullptr, argv.data(), environ);
  if (errno != 0) Fail("running '" + command + "'");
  int status = 0;
  if (waitpid(child, &status, 0) < 0) Fail("waiting for '" + command + "'");
  if (status != 0) {
    throw std::runtime_error("configuring the device: '" + command +
                             "' failed");
  }
}

/// Creates the device, which lives as long as the descriptor, and routes the
/// prefixes into it.
UniqueFd OpenDevice(const Options& options) {
  UniqueFd tun(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tun.get() < 0) Fail("opening /dev/net/tun");
  ifreq request{};
  options.device.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);
  if (ioctl(tun.get(), TUNSETIFF, &request) < 0) {
    Fail("creating the TUN device " + options.device);
  }
  const std::string mtu = std::to_string(options.mtu);
  RunIp({"link", "set", "dev", options.device, "mtu", mtu, "txqueuelen",
         "10000", "up"});
  // The kernel prefers the oldest IPv4 and the newest IPv6 address as source:
  // in this order, host 1 is what "auto" means.
  for (const int host : {1, 2}) {
    RunIp({"address", "add", HostText(options.plan, false, host) + "/16", "dev",
           options.device});
  }
  if (!options.ipv6) return tun;
  for (const int host : {2, 1}) {
    RunIp({"address", "add", HostText(options.plan, true, host) + "/64", "dev",
           options.device, "nodad"});
    AwaitLocalRoute(HostText(options.plan, true, host));
  }
  return tun;
}

/// What the network saw of one destination.
struct Destination {
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t errors = 0;
  Address last_source;
  int last_ttl = 0;
  int last_tos = 0;
  bool last_dont_fragment = false;
  std::size_t last_payload_size = 0;
};

/// Reads requests from the device and answers them on time. Confined to one
/// thread.
class Network {
 public:
  Network(const Options& options, UniqueFd tun, UniqueFd signals)
      : options_(options), tun_(std::move(tun)), signals_(std::move(signals)) {}

  /// Returns when a signal says so.
  void Run() {
    while (!stopping_) {
      SendDue();
      pollfd ready[] = {{tun_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
      const std::optional<timespec> timeout = UntilNextDue();
      if (ppoll(ready, 2, timeout ? &*timeout : nullptr, nullptr) < 0 &&
          errno != EINTR) {
        Fail("waiting for packets");
      }
      if (ready[0].revents != 0) ReadRequests();
      if (ready[1].revents != 0) ReadSignals();
    }
  }

  /// Replaces the statistics file in one step.
  void WriteStats() const {
    if (options_.stats_file.empty()) return;
    const std::string temporary = options_.stats_file + ".tmp";
    std::ofstream file(temporary, std::ios::trunc);
    PrintStats(file);
    file.close();
    if (!file ||
        std::rename(temporary.c_str(), options_.stats_file.c_str()) != 0) {
      Fail("writing " + options_.stats_file);
    }
  }

 private:
  struct Pending {
    Clock::time_point due;
    std::uint64_t order;  // Equal times: first in, first out.
    Destination* destination;
    Answer answer;

    bool operator<(const Pending& other) const {  // The queue's top is largest.
      return std::pair(due, order) > std::pair(other.due, other.order);
    }
  };

  std::optional<timespec> UntilNextDue() const {
    if (pending_.empty()) return std::nullopt;
    const auto wait = std::max(Clock::duration::zero(),
                               pending_.top().due - kWakeEarly - Clock::now());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
    return timespec{.tv_sec = seconds.count(),
                    .tv_nsec = (wait - seconds).count()};
  }

  void SendDue() {
    while (!pending_.empty() && pending_.top().due <= Clock::now()) {
      Send(pending_.top().answer, *pending_.top().destination);
      pending_.pop();
    }
  }

  void Send(const Answer& answer, Destination& destination) {
    if (write(tun_.get(), answer.packet.data(), answer.packet.size()) < 0) {
      ++unsent_;
      return;
    }
    ++(answer.is_error ? destination.errors : destination.replies);
  }

  void ReadRequests() {
    for (int i = 0; i < kReadsBetweenDeadlines; ++i) {
      const ssize_t size = read(tun_.get(), buffer_.data(), buffer_.size());
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) Fail("reading from " + options_.device);
      Handle(ByteSpan(buffer_).first(static_cast<std::size_t>(size)),
             Clock::now());
    }
  }

  void Handle(ByteSpan packet, Clock::time_point read_at) {
    const std::optional<EchoRequest> request = ParseEchoRequest(packet);
    if (!request || !Contains(options_.plan, request->destination)) {
      ++ignored_;
      return;
    }
    Destination& destination = destinations_[request->destination];
    ++destination.requests;
    destination.last_source = request->source;
    destination.last_ttl = request->ttl;
    destination.last_tos = request->tos;
    destination.last_dont_fragment = request->dont_fragment;
    destination.last_payload_size = request->payload().size();
    for (Answer& answer :
         AnswerRequest(options_.plan, *request, destination.requests)) {
      if (answer.delay.count() == 0) {
        Send(answer, destination);
      } else {
        pending_.push({read_at + answer.delay, ++order_, &destination,
                       std::move(answer)});
      }
    }
  }

  void ReadSignals() {
    signalfd_siginfo info;
    if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
    if (info.ssi_signo == SIGUSR1) {
      WriteStats();
    } else {
      stopping_ = true;
    }
  }

  void PrintStats(std::ostream& out) const {
    out << "{\"ignored\": " << ignored_ << ", \"unsent\": " << unsent_
        << ", \"pending\": " << pending_.size() << ", \"destinations\": {";
    const char* separator = "\n";
    for (const auto& [address, seen] : destinations_) {
      out << separator << "\"" << ToString(address)
          << "\": {\"requests\": " << seen.requests
          << ", \"replies\": " << seen.replies
          << ", \"errors\": " << seen.errors
          << ", \"last_request\": {\"source\": \"" << ToString(seen.last_source)
          << "\", \"ttl\": " << seen.last_ttl << ", \"tos\": " << seen.last_tos
          << ", \"dont_fragment\": "
          << (seen.last_dont_fragment ? "true" : "false")
          << ", \"payload_size\": " << seen.last_payload_size << "}}";
      separator = ",\n";
    }
    out << "\n}}\n";
  }

  const Options options_;
  const UniqueFd tun_;
  const UniqueFd signals_;
  Bytes buffer_ = Bytes(kLargestPacket);
  std::map<Address, Destination> destinations_;  // Its nodes do not move.
  std::priority_queue<Pending> pending_;
  std::uint64_t order_ = 0;
  std::uint64_t ignored_ = 0;  // Packets that are not ours to answer.
  std::uint64_t unsent_ = 0;   // Answers that the device refused.
  bool stopping_ = false;
};

/// Blocks the signals that the network reads from the returned descriptor.
UniqueFd OpenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGUSR1, SIGTERM, SIGINT}) {
    sigaddset(&signals, signal);
  }
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (fd.get() < 0) Fail("creating a signalfd");
  return fd;
}

/// Asks to be woken on time; without the right to a real-time priority the
/// network works all the same, only less exactly on a busy machine.
void BecomePunctual() {
  prctl(PR_SET_TIMERSLACK, 1UL);
  const sched_param priority{.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &priority);
}

int Main(int argc, char** argv) {
  const std::optional<Options> options = ParseOptions(argc, argv);
  if (!options) {
    std::fputs(HelpText().c_str(), stdout);
    return 0;
  }
  UniqueFd signals = OpenSignals();
  Network network(*options, OpenDevice(*options), std::move(signals));
  network.WriteStats();
  BecomePunctual();
  std::puts("ready");
  std::fflush(stdout);
  network.Run();
  network.WriteStats();
  return 0;
}

}  // namespace
}  // namespace echo_exporter::scripted_network

int main(int argc, char** argv) {
  namespace network = echo_exporter::scripted_network;
  try {
    return network::Main(argc, argv);
  } catch (const network::UsageError& error) {
    std::fprintf(stderr, "scripted_network: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scripted_network: %s\n", error.what());
    return 1;
  }
}
