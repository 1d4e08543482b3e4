#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "echo_exporter/echo_transport.h"
#include "src/base/unique_fd_posix.h"
#include "tests/support/network_namespace_linux.h"
#include "tests/support/packet_capture_linux.h"
#include "tests/support/result_log.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

// Never reached: what it waits for comes at once.
constexpr Nanoseconds kPatience = seconds(300);

IpAddress Ip(const std::string& text) { return *IpAddress::Parse(text); }

// Takes the capability from the calling thread alone: the system call is a
// thread's, unlike the C library's functions for users and groups.
void DropRawCapability() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3,
                                  .pid = 0};
  std::array<__user_cap_data_struct, 2> sets{};
  ASSERT_EQ(syscall(SYS_capget, &header, sets.data()), 0);
  sets[0].effective &= ~(1U << CAP_NET_RAW);
  sets[0].permitted &= ~(1U << CAP_NET_RAW);
  ASSERT_EQ(syscall(SYS_capset, &header, sets.data()), 0);
}

// While it exists, this process cannot open anything.
class DescriptorFamine {
 public:
  DescriptorFamine() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &few);
    do {
      taken_.emplace_back(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    } while (taken_.back());
  }
  ~DescriptorFamine() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<UniqueFd> taken_;
};

struct SocketParam {
  AllowedSockets sockets;
  IpVersion version;

  friend void PrintTo(const SocketParam& param, std::ostream* out) {
    *out << (param.version == IpVersion::kV4 ? "Ipv4" : "Ipv6")
         << (param.sockets == AllowedSockets::kRaw ? "Raw" : "Datagram");
  }
};

// The real transport in a network namespace of the test.
class EchoTransportLinuxTest : public testing::TestWithParam<SocketParam> {
 protected:
  void SetUp() override {
    if (!NetworkNamespace::IsAllowed()) {
      GTEST_SKIP() << "making a network namespace needs root";
    }
    network_.emplace(GetParam().sockets);
    CreateTransport();
  }

  void CreateTransport() {
    EchoTransportOptions options;
    options.suspended_time = [this] { return suspended_.load(); };
    auto transport = CreateEchoTransport(
        options, [this](const EchoResult& result) { results_.Add(result); });
    ASSERT_TRUE(transport.ok()) << transport.error().message;
    transport_ = std::move(transport).value();
  }

  bool is_v4() const { return GetParam().version == IpVersion::kV4; }
  // The one of the two that is of the version under test.
  IpAddress Pick(const char* v4, const char* v6) const {
    return Ip(is_v4() ? v4 : v6);
  }
  IpAddress Loopback() const { return Pick("127.0.0.1", "::1"); }
  IpAddress Silent() const { return Pick("192.0.2.9", "2001:db8::9"); }

  static EchoRequest RequestTo(const IpAddress& destination) {
    EchoRequest request;
    request.destination = destination;
    request.timeout = kPatience;
    request.payload_size = 32;
    return request;
  }

  // Once those before it have ended.
  EchoResult Send(const EchoRequest& request) {
    EXPECT_TRUE(transport_->Drain(kPatience));
    const std::size_t before = results_.size();
    transport_->Send(request);
    EXPECT_TRUE(transport_->Drain(kPatience));
    EXPECT_EQ(results_.size(), before + 1);
    return results_.size() == 0 ? EchoResult() : results_.results().back();
  }

  // What leaves by `device` when `request` is sent.
  PacketCapture::Request Capture(const std::string& device,
                                 const EchoRequest& request) {
    PacketCapture capture(device);
    transport_->Send(request);
    return capture.Next();
  }

  ResultLog results_;
  std::atomic<Nanoseconds> suspended_{Nanoseconds::zero()};
  std::optional<NetworkNamespace> network_;
  std::unique_ptr<EchoTransport> transport_;
};

// What leaves from a source.
class EchoTransportSourceTest : public EchoTransportLinuxTest {};

INSTANTIATE_TEST_SUITE_P(
    BothKindsOfSockets, EchoTransportSourceTest,
    testing::Values(SocketParam{AllowedSockets::kDatagram, IpVersion::kV4},
                    SocketParam{AllowedSockets::kRaw, IpVersion::kV4},
                    SocketParam{AllowedSockets::kDatagram, IpVersion::kV6},
                    SocketParam{AllowedSockets::kRaw, IpVersion::kV6}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    BothKindsOfSockets, EchoTransportLinuxTest,
    testing::Values(SocketParam{AllowedSockets::kDatagram, IpVersion::kV4},
                    SocketParam{AllowedSockets::kRaw, IpVersion::kV4},
                    SocketParam{AllowedSockets::kDatagram, IpVersion::kV6},
                    SocketParam{AllowedSockets::kRaw, IpVersion::kV6}),
    testing::PrintToStringParamName());

TEST_P(EchoTransportLinuxTest, SaysWhichKindOfSocketItUses) {
  const EchoTransportStats stats = transport_->Stats();
  const std::string expected = GetParam().sockets == AllowedSockets::kRaw
                                   ? "raw_socket"
                                   : "datagram_socket";
  EXPECT_EQ(stats.ipv4_mechanism, expected);
  EXPECT_EQ(stats.ipv6_mechanism, expected);
  EXPECT_EQ(transport_->Describe(),
            "IPv4: " + expected + ", IPv6: " + expected);
  EXPECT_EQ(transport_->NeedsRawSockets(),
            GetParam().sockets == AllowedSockets::kRaw);
  EXPECT_EQ(stats.foreign_replies, 0U);
  EXPECT_EQ(stats.receive_drops, 0U);
}

TEST_P(EchoTransportLinuxTest, MeasuresRealEchoesOfEverySize) {
  for (const int size : {0, 1, 7, 8, 32, 56, 1472, 65500}) {
    SCOPED_TRACE(size);
    EchoRequest request = RequestTo(Loopback());
    request.payload_size = static_cast<std::uint16_t>(size);
    request.ttl = 77;
    const EchoResult result = Send(request);
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
    EXPECT_GT(result.rtt, Nanoseconds(0));
    EXPECT_LT(result.rtt, kPatience);
    EXPECT_EQ(result.reply_ttl, 64) << "the kernel's own, not the request's";
    EXPECT_EQ(result.responder, Loopback());
    EXPECT_EQ(result.os_code, 0U);
  }
  EXPECT_EQ(transport_->Stats().foreign_replies, 0U);
}

TEST_P(EchoTransportLinuxTest, TimesOutAndTellsHowLongItWaited) {
  EchoRequest request = RequestTo(Silent());
  request.timeout = milliseconds(20);
  const EchoResult result = Send(request);
  EXPECT_EQ(result.outcome, EchoOutcome::kTimeout);
  EXPECT_GE(result.rtt, milliseconds(20) - milliseconds(1));
}

TEST_P(EchoTransportLinuxTest, TimesOutAShortRequestBehindALongOne) {
  EchoRequest slow = RequestTo(Silent());
  slow.tag = 1;
  transport_->Send(slow);
  EchoRequest quick = RequestTo(Silent());
  quick.timeout = milliseconds(1);
  quick.tag = 2;
  transport_->Send(quick);
  results_.WaitForSize(1);
  EXPECT_EQ(results_.results().front().tag, 2U);
  // It is in flight until its result was told.
  while (transport_->in_flight() > 1) std::this_thread::yield();
  EXPECT_EQ(results_.size(), 1U);
}

TEST_P(EchoTransportLinuxTest, EndsWhatWasInFlightOverASuspension) {
  EchoRequest request = RequestTo(Silent());
  request.timeout = milliseconds(200);
  transport_->Send(request);
  suspended_ = hours(8);
  ASSERT_TRUE(transport_->Drain(kPatience));
  EXPECT_EQ(results_.results().back().outcome, EchoOutcome::kSuspended);
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kTimeout);
  EXPECT_EQ(Send(RequestTo(Loopback())).outcome, EchoOutcome::kReply);
}

TEST_P(EchoTransportLinuxTest, SendsWhatTheRequestSays) {
  EchoRequest request = RequestTo(Silent());
  request.ttl = 33;
  request.tos = 184;
  const auto sent = Capture("silent0", request);
  EXPECT_EQ(sent.destination, Silent());
  EXPECT_EQ(sent.ttl, 33);
  EXPECT_EQ(sent.tos, 184);
  request.ttl = 255;
  request.tos = 0;
  const auto next = Capture("silent0", request);
  EXPECT_EQ(next.ttl, 255);
  EXPECT_EQ(next.tos, 0) << "nothing of the request before";
}

TEST_P(EchoTransportLinuxTest, SendsEachFlowUnderItsIdentifier) {
  EchoRequest request = RequestTo(Silent());
  request.timeout = milliseconds(1);
  const auto identifier = [&](EchoFlow::Kind kind, std::uint32_t owner,
                              std::uint32_t renewals) {
    request.flow = {.kind = kind, .owner = owner, .renewals = renewals};
    return Capture("silent0", request).identifier;
  };
  using enum EchoFlow::Kind;
  const int first = identifier(kSteady, 7, 0);
  EXPECT_EQ(identifier(kSteady, 7, 0), first);
  std::set<int> others{first};
  for (std::uint32_t i = 1; i < 16; ++i) {
    others.insert(identifier(kSteady, 7, i));
  }
  EXPECT_EQ(others.size(), 16U);
  EXPECT_EQ(identifier(kSteady, 7, 1), identifier(kSteady, 7, 1));
  EXPECT_FALSE(others.contains(identifier(kBrief, 0xffff'ffff, 0)));
  // Datagram sockets share identifiers: another destination is another flow.
  EXPECT_EQ(identifier(kSteady, 8, 0) != first,
            GetParam().sockets == AllowedSockets::kRaw);
}

TEST_P(EchoTransportLinuxTest, GetsTheRepliesOfEveryFlow) {
  EchoRequest request = RequestTo(Loopback());
  for (const auto kind : {EchoFlow::Kind::kSteady, EchoFlow::Kind::kBrief,
                          EchoFlow::Kind::kFresh}) {
    for (std::uint32_t i = 0; i < 40; ++i) {
      request.flow = {.kind = kind, .owner = 3 * i, .renewals = i};
      EXPECT_EQ(Send(request).outcome, EchoOutcome::kReply);
    }
  }
  EXPECT_EQ(transport_->Stats().foreign_replies, 0U);
}

TEST_P(EchoTransportLinuxTest, TellsAnAbsentSourceWhereOthersMaySendFromIt) {
  network_->WriteSysctl(
      is_v4() ? "ipv4/ip_nonlocal_bind" : "ipv6/ip_nonlocal_bind", "1");
  EchoRequest request = RequestTo(Pick("203.0.113.1", "2001:db8:99::1"));
  request.source = Pick("192.0.2.77", "2001:db8::77");
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kBadSource);
  request.destination = Loopback();
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kBadSource);
  request.source = Pick("192.0.2.1", "2001:db8::1");
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kReply);
  request.destination = Pick("203.0.113.1", "2001:db8:99::1");
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kNetUnreachable);
}

TEST_P(EchoTransportLinuxTest, BlamesNobodyElseForWantOfDescriptors) {
  using enum EchoOutcome;
  const auto outcomes = [&] {
    EchoRequest request = RequestTo(Loopback());
    std::vector<EchoOutcome> seen{Send(request).outcome};
    request.flow = {.kind = EchoFlow::Kind::kFresh, .owner = 1, .renewals = 1};
    seen.push_back(Send(request).outcome);
    for (const auto& source : {Pick("192.0.2.1", "2001:db8::1"),
                               Pick("192.0.2.77", "2001:db8::77")}) {
      request.source = source;
      seen.push_back(Send(request).outcome);
    }
    return seen;
  };
  // The undefined-behaviour sanitizer needs a pipe for its first look at a
  // type, so it sees them all now. A new transport has none of the sockets.
  EXPECT_THAT(outcomes(), ElementsAre(kReply, kReply, kReply, kBadSource));
  ASSERT_NE(ErrnoText(EMFILE), "");
  CreateTransport();
  ASSERT_EQ(transport_->in_flight(), 0U);
  const DescriptorFamine famine;
  // Without a descriptor it cannot be told whether a source is on this host.
  EXPECT_THAT(outcomes(),
              ElementsAre(kReply, kReply, is_v4() ? kReply : kNoResources,
                          kNoResources));
}

TEST_P(EchoTransportLinuxTest, ForbidsFragmentsByRequest) {
  for (const bool dont_fragment : {true, false, true}) {
    EchoRequest request = RequestTo(Silent());
    request.dont_fragment = dont_fragment;
    request.timeout = milliseconds(1);
    if (is_v4()) {
      EXPECT_EQ(Capture("silent0", request).dont_fragment, dont_fragment);
    }
    request.payload_size = 4000;
    if (dont_fragment) {
      request.timeout = kPatience;  // however long the refusal takes
      EXPECT_EQ(Send(request).outcome, EchoOutcome::kPacketTooBig);
    } else {
      EXPECT_TRUE(Capture("silent0", request).is_fragment);
    }
  }
}

TEST_P(EchoTransportSourceTest, SendsFromTheSourceOfTheRequest) {
  for (const IpAddress& source :
       {Pick("192.0.2.1", "2001:db8::1"), Pick("192.0.2.2", "2001:db8::2"),
        Pick("198.51.100.1", "2001:db8:1::1")}) {
    EchoRequest request = RequestTo(Silent());
    request.source = source;
    EXPECT_EQ(Capture("silent0", request).source, source);
  }
}

TEST_P(EchoTransportSourceTest, GetsRepliesAtTheSourceOfTheRequest) {
  EchoRequest request = RequestTo(Loopback());
  request.source = Pick("192.0.2.2", "2001:db8::2");
  PacketCapture capture("lo");
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kReply);
  EXPECT_EQ(capture.Next().source, request.source);
}

TEST_P(EchoTransportSourceTest, LeavesByTheAdapterOfTheRequest) {
  // Both have a way there; the routes alone say silent0.
  network_->Ip(is_v4() ? "route add 192.0.2.9/32 dev silent1 metric 100"
                       : "-6 route add 2001:db8::/64 dev silent1 metric 9999");
  EchoRequest request = RequestTo(Pick("192.0.2.8", "2001:db8::8"));
  request.source = Pick("192.0.2.2", "2001:db8::2");
  EXPECT_EQ(Capture("silent0", request).source, request.source);
  request.source = Pick("198.51.100.1", "2001:db8:1::1");
  request.source_interface = if_nametoindex("silent1");
  EXPECT_EQ(Capture("silent1", request).source, request.source);
}

TEST_P(EchoTransportLinuxTest, TellsAnAbsentSourceWhateverTheDestination) {
  for (const IpAddress& destination :
       {Loopback(), Silent(), Pick("203.0.113.1", "2001:db8:99::1")}) {
    EchoRequest request = RequestTo(destination);
    request.source = Pick("192.0.2.77", "2001:db8::77");
    EXPECT_EQ(Send(request).outcome, EchoOutcome::kBadSource);
  }
}

TEST_P(EchoTransportLinuxTest, TellsASourceThatLeavesAndReturns) {
  const std::string address =
      is_v4() ? "192.0.2.50/24" : "2001:db8::50/64 nodad";
  EchoRequest request = RequestTo(Loopback());
  request.source = Pick("192.0.2.50", "2001:db8::50");
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kBadSource);
  network_->Ip("address add " + address + " dev silent0");
  // The kernel sends from a new IPv6 address a moment before it receives at it.
  request.timeout = milliseconds(20);
  EchoResult result;
  do {
    result = Send(request);
  } while (result.outcome == EchoOutcome::kTimeout);
  EXPECT_EQ(result.outcome, EchoOutcome::kReply);
  network_->Ip("address delete " + address.substr(0, address.find(' ')) +
               " dev silent0");
  EXPECT_EQ(Send(request).outcome, EchoOutcome::kBadSource);
}

TEST_P(EchoTransportLinuxTest, TellsRoutesThatLeadNowhere) {
  const std::string ip = is_v4() ? "-4 " : "-6 ";
  const IpAddress destination = Pick("203.0.113.1", "2001:db8:99::1");
  const std::string route = is_v4() ? "203.0.113.0/24" : "2001:db8:99::/64";
  EchoRequest request = RequestTo(destination);
  for (const bool with_source : {false, true}) {
    SCOPED_TRACE(with_source);
    if (with_source) request.source = Pick("192.0.2.1", "2001:db8::1");
    EXPECT_EQ(Send(request).outcome, EchoOutcome::kNetUnreachable);
    network_->Ip(ip + "route add unreachable " + route);
    EXPECT_EQ(Send(request).outcome, EchoOutcome::kHostUnreachable);
    network_->Ip(ip + "route delete unreachable " + route);
    network_->Ip(ip + "route add prohibit " + route);
    EXPECT_EQ(Send(request).outcome, EchoOutcome::kProhibited);
    network_->Ip(ip + "route delete prohibit " + route);
  }
}

TEST_P(EchoTransportLinuxTest, DoesNotLetOneRequestsErrorEndAnother) {
  network_->Ip(std::string(is_v4() ? "-4" : "-6") + " route add unreachable " +
               (is_v4() ? "203.0.113.0/24" : "2001:db8:99::/64"));
  for (std::uint64_t tag = 0; tag < 200; ++tag) {
    EchoRequest request = RequestTo(
        tag % 2 == 0 ? Loopback() : Pick("203.0.113.1", "2001:db8:99::1"));
    request.tag = tag;
    transport_->Send(request);
  }
  ASSERT_TRUE(transport_->Drain(kPatience));
  ASSERT_EQ(results_.size(), 200U);
  for (const EchoResult& result : results_.results()) {
    EXPECT_EQ(result.outcome, result.tag % 2 == 0
                                  ? EchoOutcome::kReply
                                  : EchoOutcome::kHostUnreachable)
        << result.tag;
  }
}

TEST_P(EchoTransportLinuxTest, IgnoresTheEchoesOfAnotherTransport) {
  ResultLog other_results;
  auto other = CreateEchoTransport(
      EchoTransportOptions(),
      [&](const EchoResult& result) { other_results.Add(result); });
  ASSERT_TRUE(other.ok()) << other.error().message;
  for (std::uint64_t tag = 0; tag < 500; ++tag) {
    EchoRequest request = RequestTo(Loopback());
    request.tag = tag;
    transport_->Send(request);
    request.tag = 1000 + tag;
    other.value()->Send(request);
  }
  ASSERT_TRUE(transport_->Drain(kPatience));
  ASSERT_TRUE(other.value()->Drain(kPatience));
  ASSERT_EQ(results_.size(), 500U);
  ASSERT_EQ(other_results.size(), 500U);
  for (const EchoResult& result : results_.results()) {
    EXPECT_EQ(result.outcome, EchoOutcome::kReply);
    EXPECT_LT(result.tag, 500U);
  }
  // They do not even wake this process: the kernel keeps them apart.
  EXPECT_EQ(transport_->Stats().foreign_replies, 0U);
}

// On a thread of its own, which ends without the capability.
template <typename Function>
void RunWithoutRawCapability(AllowedSockets sockets, const Function& function) {
  std::thread([&] {
    NetworkNamespace network(sockets);
    DropRawCapability();
    function();
  }).join();
}

TEST(EchoTransportRightsTest, SaysBothWaysWhenNeitherIsAllowed) {
  if (!NetworkNamespace::IsAllowed()) {
    GTEST_SKIP() << "making a network namespace needs root";
  }
  RunWithoutRawCapability(AllowedSockets::kRaw, [] {
    const auto transport =
        CreateEchoTransport(EchoTransportOptions(), [](const EchoResult&) {});
    ASSERT_FALSE(transport.ok());
    EXPECT_EQ(transport.error().code, ErrorCode::kNotAllowed);
    EXPECT_THAT(transport.error().message,
                HasSubstr("net.ipv4.ping_group_range"));
    EXPECT_THAT(transport.error().message, HasSubstr("CAP_NET_RAW"));
  });
}

TEST(EchoTransportRightsTest, NeedsNoCapabilityWhereTheGroupMay) {
  if (!NetworkNamespace::IsAllowed()) {
    GTEST_SKIP() << "making a network namespace needs root";
  }
  RunWithoutRawCapability(AllowedSockets::kDatagram, [] {
    ResultLog results;
    auto transport = CreateEchoTransport(
        EchoTransportOptions(),
        [&](const EchoResult& result) { results.Add(result); });
    ASSERT_TRUE(transport.ok()) << transport.error().message;
    for (const char* const destination : {"127.0.0.1", "::1"}) {
      EchoRequest request;
      request.destination = Ip(destination);
      request.timeout = kPatience;
      transport.value()->Send(request);
    }
    ASSERT_TRUE(transport.value()->Drain(kPatience));
    for (const EchoResult& result : results.results()) {
      EXPECT_EQ(result.outcome, EchoOutcome::kReply);
    }
  });
}

}  // namespace
}  // namespace echo_exporter
