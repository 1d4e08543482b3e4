#include "src/probe/on_demand_prober.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/dispatcher_rig.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

constexpr const char* kTarget = "192.0.2.1";

// The clock of a machine that is suspended whenever it is not looked at.
class SleepyClock final : public Clock {
 public:
  SteadyTime Now() const override { return System().Now(); }
  WallTime WallNow() const override { return System().WallNow(); }
  Nanoseconds SuspendedTime() const override { return seconds(2) * ++looks_; }

 private:
  mutable std::atomic<int> looks_{0};
};

// Shows another time once told to.
class JumpingClock final : public Clock {
 public:
  SteadyTime Now() const override { return System().Now() + ahead_.load(); }
  WallTime WallNow() const override { return System().WallNow(); }
  void Jump(Nanoseconds ahead) { ahead_ = ahead; }

 private:
  std::atomic<Nanoseconds> ahead_{Nanoseconds::zero()};
};

class OnDemandProberTest : public testing::Test {
 protected:
  OnDemandProberTest() {
    config_.modules["icmp"] = {};
    config_.sources["wan1"] = {.name = "wan1",
                               .kind = SourceConfig::Kind::kAddress,
                               .address = Address("198.51.100.7"),
                               .interface_name = ""};
    config_.sources["wan2"] = {.name = "wan2",
                               .kind = SourceConfig::Kind::kInterface,
                               .address = {},
                               .interface_name = "Ethernet 2"};
    rig_.dispatcher.Start();
  }

  HttpResponse Probe(const ProbeQuery& query) {
    shared_.Set(std::make_shared<const ExporterConfig>(config_));
    return prober_.Probe(query);
  }

  HttpResponse ProbeTarget(const std::string& target) {
    ProbeQuery query;
    query.target = target;
    return Probe(query);
  }

  static HttpRequest Asking(const std::string& query) {
    return {.method = "GET", .path = "/probe", .query = query};
  }

  void Allow(const std::string& prefix) {
    config_.probe.allowed_prefixes.push_back(*IpPrefix::Parse(prefix));
  }
  void AllowNames(const std::string& glob) {
    config_.probe.allowed_name_globs.push_back(glob);
  }

  HttpResponse ProbeFrom(const std::string& source) {
    ProbeQuery query;
    query.target = kTarget;
    query.source = source;
    return Probe(query);
  }

  /// For probes that are to run into their timeout.
  void BeImpatient() {
    config_.modules["icmp"].echo.timeout = milliseconds(20);
  }

  EchoRequest SentOnce() const {
    const auto sent = rig_.network.sent();
    EXPECT_EQ(sent.size(), 1U);
    return sent.empty() ? EchoRequest() : sent[0].request;
  }

  static std::optional<double> Value(const HttpResponse& answer,
                                     const std::string& series) {
    const auto samples = ParseSamples(answer.body);
    const auto found = samples.find(series);
    if (found == samples.end()) return std::nullopt;
    return found->second;
  }

  ExporterConfig config_;
  DispatcherRig rig_{Clock::System()};
  SharedConfig shared_{config_};
  ContinuousPairs continuous_{shared_, Clock::System(), rig_.book,
                              rig_.recorder, rig_.dispatcher};
  OnDemandProber prober_{shared_,
                         Clock::System(),
                         rig_.lookup,
                         *rig_.transport,
                         rig_.dispatcher,
                         continuous_,
                         /*timeout_offset=*/milliseconds(500)};
};

TEST_F(OnDemandProberTest, RefusesAnUnknownModule) {
  ProbeQuery query;
  query.target = kTarget;
  query.module = "http_2xx";
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "Unknown module \"http_2xx\"\n");
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
}

TEST_F(OnDemandProberTest, RefusesAnUnknownSource) {
  ProbeQuery query;
  query.target = kTarget;
  query.source = "wan9";
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("wan9"));
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
}

// 200, so that an alert for probe_success == 0 fires.
TEST_F(OnDemandProberTest, WhatIsNoTargetIsAFailedProbe) {
  for (const char* const target :
       {"0.0.0.0", "::", "not a name", "http://example.net/", "1.2.3",
        "-x.example.net", "192.0.2.0/24", "192.0.2.1:9100", "[192.0.2.1]",
        "[a.example.net]", "[::]", "[", "\xc3\xbc\xff.example.net",
        "fe80::1%"}) {
    SCOPED_TRACE(target);
    ProbeQuery query;
    query.target = target;
    const HttpResponse answer = Probe(query);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(Value(answer, "probe_success"), 0);
    EXPECT_EQ(Value(answer, "probe_timeout_seconds"), 2);
    query.debug = true;
    EXPECT_THAT(Probe(query).body,
                AllOf(HasSubstr(target),
                      HasSubstr("neither an address of a host nor a host name"),
                      HasSubstr("\nprobe_success 0\n")));
  }
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
}

TEST_F(OnDemandProberTest, TakesAnAddressInBrackets) {
  EXPECT_EQ(ProbeTarget("[2001:db8::1]").status, 200);
  EXPECT_EQ(SentOnce().destination, Address("2001:db8::1"));
}

TEST_F(OnDemandProberTest, ProbesInternationalisedNames) {
  rig_.lookup.Set("xn--bcher-kva.example", {Address(kTarget)});
  AllowNames("b\xc3\xbc*.example");
  EXPECT_EQ(ProbeTarget("b\xc3\xbc"
                        "cher.example")
                .status,
            200);
  EXPECT_EQ(SentOnce().destination, Address(kTarget));
  AllowNames("xn--*.example");
  EXPECT_EQ(ProbeTarget("BU\xcc\x88"
                        "CHER.example")
                .status,
            200);
}

TEST_F(OnDemandProberTest, FindsTheZoneOfAnAdapter) {
  rig_.lookup.Set("eth0", {});
  rig_.lookup.SetInterfaceIndex("eth0", 3);
  EXPECT_EQ(ProbeTarget("fe80::1%eth0").status, 200);
  EXPECT_EQ(SentOnce().destination, Address("fe80::1%3"));
  const HttpResponse absent = ProbeTarget("fe80::1%eth9");
  EXPECT_EQ(absent.status, 200);
  EXPECT_EQ(Value(absent, "probe_success"), 0);
}

TEST_F(OnDemandProberTest, ChecksTheZoneOfAnAdapterAgainstAllowedPrefixes) {
  rig_.lookup.Set("eth0", {});
  rig_.lookup.SetInterfaceIndex("eth0", 3);
  Allow("fe80::%3/64");
  EXPECT_EQ(ProbeTarget("fe80::1%eth0").status, 200);
  rig_.lookup.SetInterfaceIndex("eth0", 4);
  EXPECT_EQ(ProbeTarget("fe80::1%eth0").status, 403);
}

TEST_F(OnDemandProberTest, TooManyLookupsInProgressAreNotTheTargetsFault) {
  config_.modules["icmp"].echo.timeout = milliseconds(1);
  const auto dead = [](std::size_t i) { return "dead" + std::to_string(i); };
  for (std::size_t i = 0; i < DeadlineLookup::kMostNewNames; ++i) {
    rig_.lookup.Block(dead(i));
    ASSERT_EQ(ProbeTarget(dead(i)).status, 200);
  }
  rig_.lookup.Set("a.example.net", {Address(kTarget)});
  EXPECT_EQ(ProbeTarget("a.example.net").status, 503);
  for (std::size_t i = 0; i < DeadlineLookup::kMostNewNames; ++i) {
    rig_.lookup.Release(dead(i));
  }
}

TEST_F(OnDemandProberTest, WhatTheExporterLacksIsNotTheTargetsFault) {
  rig_.lookup.Fail("Ethernet 2", "too many open files", ErrorCode::kExhausted);
  const HttpResponse answer = ProbeFrom("wan2");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("too many open files"));
}

TEST_F(OnDemandProberTest, RefusesAnAddressThatIsNotAllowed) {
  Allow("10.0.0.0/8");
  EXPECT_EQ(ProbeTarget("10.1.2.3").status, 200);
  const HttpResponse answer = ProbeTarget("192.0.2.1");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body,
              AllOf(HasSubstr("192.0.2.1"), HasSubstr("allowed_targets")));
  EXPECT_EQ(rig_.network.sent().size(), 1U);
}

TEST_F(OnDemandProberTest, RefusesANameThatNoGlobAllowsWithoutALookup) {
  AllowNames("*.example.net");
  rig_.lookup.Set("a.example.net", {Address("192.0.2.1")});
  rig_.lookup.Set("a.example.org", {Address("192.0.2.1")});
  EXPECT_EQ(ProbeTarget("a.example.net").status, 200);
  EXPECT_EQ(ProbeTarget("a.example.org").status, 403);
  EXPECT_EQ(rig_.lookup.calls("a.example.org"), 0);
  EXPECT_EQ(rig_.network.sent().size(), 1U);
}

TEST_F(OnDemandProberTest, RefusesANameWithoutAnAddressThatIsAllowed) {
  Allow("10.0.0.0/8");
  rig_.lookup.Set("in.example.net", {Address("10.0.0.1")});
  rig_.lookup.Set("out.example.net", {Address("192.0.2.1")});
  EXPECT_EQ(ProbeTarget("in.example.net").status, 200);
  const HttpResponse answer = ProbeTarget("out.example.net");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("out.example.net"));
  EXPECT_THAT(rig_.network.SentTo(Address("192.0.2.1")), IsEmpty());
}

TEST_F(OnDemandProberTest, ProbesOnlyTheAllowedAddressesOfAName) {
  Allow("10.0.0.0/8");
  rig_.lookup.Set("both.example.net",
                  {Address("192.0.2.1"), Address("10.0.0.1")});
  EXPECT_EQ(ProbeTarget("both.example.net").status, 200);
  EXPECT_EQ(SentOnce().destination, Address("10.0.0.1"));
}

TEST_F(OnDemandProberTest, RefusesTooManyAtOnce) {
  config_.probe.max_concurrent = 1;
  config_.modules["icmp"].echo.timeout = seconds(60);
  rig_.network.HoldFrom(Address("192.0.2.2"));
  std::thread first([this] {
    EXPECT_EQ(Value(ProbeTarget("192.0.2.2"), "probe_success"), 1);
  });
  rig_.network.WaitForSent(1);
  const HttpResponse answer = ProbeTarget(kTarget);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("allows 1"));
  rig_.network.AnswerHeld(ReplyAfter(milliseconds(1)));
  first.join();
  EXPECT_EQ(ProbeTarget(kTarget).status, 200);
}

TEST_F(OnDemandProberTest, LeavesThreeQuartersOfWhatMayBeInFlightToPairs) {
  ASSERT_EQ(rig_.transport->max_in_flight(), 8U);
  config_.modules["icmp"].echo.timeout = seconds(60);
  rig_.network.HoldFrom(Address("192.0.2.2"));
  ProbeQuery two_to_silence;
  two_to_silence.target = "192.0.2.2";
  two_to_silence.count = 2;
  std::thread first(
      [&] { EXPECT_EQ(Value(Probe(two_to_silence), "probe_success"), 1); });
  rig_.network.WaitForSent(2);
  for (int i = 0; i < 10; ++i) {
    const HttpResponse answer = prober_.Probe(two_to_silence);
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("max_in_flight"));
    EXPECT_THAT(answer.headers, Contains(Pair("Retry-After", "1")));
  }
  EXPECT_EQ(rig_.transport->in_flight(), 2U);
  rig_.network.AnswerHeld(ReplyAfter(milliseconds(1)));
  first.join();
  EXPECT_EQ(ProbeTarget(kTarget).status, 200);
}

TEST_F(OnDemandProberTest, SendsMoreThanThereIsRoomForOneAfterAnother) {
  ProbeQuery query;
  query.target = kTarget;
  query.count = 10;
  config_.modules["icmp"].echo.timeout = seconds(60);
  EXPECT_EQ(Value(Probe(query), "probe_icmp_packets_sent"), 10);

  BeImpatient();
  rig_.network.Hold();
  EXPECT_EQ(Value(Probe(query), "probe_icmp_packets_sent"), 2);
}

TEST_F(OnDemandProberTest, SendsNothingThatHasNoTimeToBeAnswered) {
  config_.modules["icmp"].echo.timeout = seconds(60);
  shared_.Set(std::make_shared<const ExporterConfig>(config_));
  rig_.network.Hold();
  JumpingClock clock;
  OnDemandProber prober(shared_, clock, rig_.lookup, *rig_.transport,
                        rig_.dispatcher, continuous_, milliseconds(500));
  ProbeQuery query;
  query.target = kTarget;
  query.count = 10;
  HttpResponse answer;
  std::thread client([&] { answer = prober.Probe(query); });
  rig_.network.WaitForSent(2);  // for which there is room
  clock.Jump(seconds(59));
  rig_.network.AnswerHeld(EndAs(EchoOutcome::kTimeout));
  client.join();
  EXPECT_EQ(Value(answer, "probe_icmp_packets_sent"), 2);
}

TEST_F(OnDemandProberTest, SaysThatItStopsAndNotThatTheTargetFails) {
  config_.modules["icmp"].echo.timeout = seconds(60);
  rig_.network.Hold();
  HttpResponse answer;
  std::thread prober([&] { answer = ProbeTarget(kTarget); });
  rig_.network.WaitForSent(1);
  rig_.dispatcher.Stop();  // which does not wait for it
  prober.join();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "The exporter is stopping\n");
  EXPECT_EQ(ProbeTarget(kTarget).status, 503);
}

TEST_F(OnDemandProberTest, ReportsAReply) {
  rig_.network.AnswerFrom(Address(kTarget),
                          {.when = FakeAnswer::When::kSoon,
                           .result = ReplyAfter(milliseconds(12))});
  const HttpResponse answer = ProbeTarget(kTarget);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.content_type, StartsWith("text/plain; version=0.0.4"));
  EXPECT_EQ(Value(answer, "probe_success"), 1);
  EXPECT_EQ(Value(answer, "probe_icmp_duration_seconds{phase=\"rtt\"}"), 0.012);
  EXPECT_TRUE(Value(answer, "probe_icmp_duration_seconds{phase=\"resolve\"}"));
  EXPECT_TRUE(Value(answer, "probe_icmp_duration_seconds{phase=\"setup\"}"));
  EXPECT_EQ(Value(answer, "probe_icmp_reply_hop_limit"), 64);
  EXPECT_EQ(Value(answer, "probe_ip_protocol"), 4);
  EXPECT_EQ(Value(answer, "probe_timeout_seconds"), 2);
}

TEST_F(OnDemandProberTest, ReportsAnUnreachableAsAFailureWithoutRtt) {
  rig_.network.Answer({.result = EndAs(EchoOutcome::kHostUnreachable)});
  const HttpResponse answer = ProbeTarget(kTarget);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_EQ(Value(answer, "probe_icmp_duration_seconds{phase=\"rtt\"}"),
            std::nullopt);
  EXPECT_TRUE(Value(answer, "probe_icmp_duration_seconds{phase=\"setup\"}"));
}

TEST_F(OnDemandProberTest, ReportsSilenceAsAFailureAndSurvivesALateResult) {
  BeImpatient();
  rig_.network.Hold();
  const HttpResponse answer = ProbeTarget(kTarget);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_EQ(Value(answer, "probe_icmp_duration_seconds{phase=\"rtt\"}"),
            std::nullopt);
  EXPECT_EQ(Value(answer, "probe_icmp_outcome{outcome=\"timeout\"}"), 1);
  EXPECT_EQ(rig_.network.AnswerHeld(ReplyAfter(milliseconds(1))), 1U);
}

TEST_F(OnDemandProberTest, DoesNotBlameTheTargetForWhatThisHostPrevented) {
  rig_.network.Answer({.result = EndAs(EchoOutcome::kNoResources)});
  const HttpResponse answer = ProbeTarget(kTarget);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body,
            "The exporter's own host prevented every echo request: "
            "no_resources\n");
}

TEST_F(OnDemandProberTest, SaysSuspendedWhenItsDeadlinePassedInSuspension) {
  BeImpatient();
  shared_.Set(std::make_shared<const ExporterConfig>(config_));
  rig_.network.Hold();
  const SleepyClock clock;
  OnDemandProber prober(shared_, clock, rig_.lookup, *rig_.transport,
                        rig_.dispatcher, continuous_, milliseconds(500));
  ProbeQuery query;
  query.target = kTarget;
  const HttpResponse answer = prober.Probe(query);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("suspended"));
}

TEST_F(OnDemandProberTest, HasAFlowOfItsOwn) {
  ProbeQuery query;
  query.target = kTarget;
  query.count = 2;
  Probe(query);
  Probe(query);
  config_.modules["icmp"].echo.flow = FlowPolicy::kFresh;
  Probe(query);
  std::vector<EchoFlow> flows;
  for (const auto& sent : rig_.network.sent()) {
    flows.push_back(sent.request.flow);
  }
  ASSERT_EQ(flows.size(), 6U);
  EXPECT_EQ(flows[0].kind, EchoFlow::Kind::kBrief);
  EXPECT_EQ(flows[1].owner, flows[0].owner);
  EXPECT_NE(flows[2].owner, flows[0].owner);
  EXPECT_EQ(flows[4].kind, EchoFlow::Kind::kFresh);
  EXPECT_NE(flows[5].owner, flows[4].owner);
  for (const EchoFlow& flow : flows) {
    EXPECT_GT(flow.owner, 1'000'000U) << "as no pair has";
  }
}

TEST_F(OnDemandProberTest, SendsWhatTheModuleSays) {
  config_.modules["big"] = {.echo = {.timeout = seconds(2),
                                     .payload_size = 1400,
                                     .ttl = 7,
                                     .dont_fragment = true},
                            .source = config_.sources["wan1"]};
  ProbeQuery query;
  query.target = kTarget;
  query.module = "big";
  EXPECT_EQ(Probe(query).status, 200);
  const EchoRequest request = SentOnce();
  EXPECT_EQ(request.destination, Address(kTarget));
  EXPECT_EQ(request.source, Address("198.51.100.7"));
  EXPECT_EQ(request.payload_size, 1400);
  EXPECT_EQ(request.ttl, 7);
  EXPECT_TRUE(request.dont_fragment);
  EXPECT_LE(request.timeout, seconds(2));
}

TEST_F(OnDemandProberTest, TakesTheQuerysSourceBeforeTheModules) {
  config_.modules["icmp"].source = config_.sources["wan1"];
  ProbeQuery query;
  query.target = kTarget;
  query.source = "198.51.100.99";
  Probe(query);
  EXPECT_EQ(SentOnce().source, Address("198.51.100.99"));
  query.source = "auto";
  Probe(query);
  EXPECT_EQ(rig_.network.sent().at(1).request.source, std::nullopt);
}

TEST_F(OnDemandProberTest, SendsFromTheAddressAnAdapterHasNow) {
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.8")});
  ProbeQuery query;
  query.target = kTarget;
  query.source = "wan2";
  Probe(query);
  EXPECT_EQ(SentOnce().source, Address("198.51.100.8"));
}

TEST_F(OnDemandProberTest, FailsWhileAnAdapterHasNoAddress) {
  ProbeQuery query;
  query.target = kTarget;
  query.source = "wan2";
  query.debug = true;
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_THAT(answer.body, HasSubstr("Ethernet 2"));
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
}

TEST_F(OnDemandProberTest, FailsWithoutACommonIpVersion) {
  ProbeQuery query;
  query.target = "2001:db8::1";
  query.source = "wan1";
  query.debug = true;
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_THAT(answer.body, HasSubstr("no addresses of a common IP version"));
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
}

TEST_F(OnDemandProberTest, FailsWhenANameDoesNotResolve) {
  rig_.lookup.Fail("a.example.net", "the name server refused");
  ProbeQuery query;
  query.target = "a.example.net";
  query.debug = true;
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_EQ(Value(answer, "probe_dns_lookup_time_seconds"), std::nullopt);
  EXPECT_THAT(answer.body, HasSubstr("the name server refused"));
}

// Returns at all: the name server answers only after the probe has.
TEST_F(OnDemandProberTest, EndsInTimeWhenTheNameServerDoesNotAnswer) {
  BeImpatient();
  rig_.lookup.Block("slow.example.net");
  const HttpResponse answer = ProbeTarget("slow.example.net");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
  rig_.lookup.Release("slow.example.net");
}

// Returns at all, likewise.
TEST_F(OnDemandProberTest, EndsInTimeWhenAnAdapterIsNotRead) {
  BeImpatient();
  rig_.lookup.Block("Ethernet 2");
  const HttpResponse answer = ProbeFrom("wan2");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
  rig_.lookup.Release("Ethernet 2");
}

TEST_F(OnDemandProberTest, SendsThroughTheAdapterThatIsTheSource) {
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.8")});
  rig_.lookup.SetInterfaceIndex("Ethernet 2", 7);
  EXPECT_EQ(ProbeFrom("wan2").status, 200);
  EXPECT_EQ(SentOnce().source_interface, 7U);
}

TEST_F(OnDemandProberTest, EndsBeforePrometheusLosesPatience) {
  ProbeQuery query;
  query.target = kTarget;
  query.scrape_timeout = milliseconds(1700);
  EXPECT_EQ(Value(Probe(query), "probe_timeout_seconds"), 1.2);
  EXPECT_LE(SentOnce().timeout, milliseconds(1200));
  query.scrape_timeout = seconds(10);  // the module's is shorter
  EXPECT_EQ(Value(Probe(query), "probe_timeout_seconds"), 2);
}

TEST_F(OnDemandProberTest, LeavesMostOfAShortTimeoutToTheProbe) {
  ProbeQuery query;
  query.target = kTarget;
  query.scrape_timeout = milliseconds(600);
  EXPECT_EQ(Value(Probe(query), "probe_timeout_seconds"), 0.4);
  query.scrape_timeout = milliseconds(1);
  EXPECT_EQ(Value(Probe(query), "probe_timeout_seconds"), 0.001);
}

TEST_F(OnDemandProberTest, TheTimeoutOffsetIsAnOption) {
  shared_.Set(std::make_shared<const ExporterConfig>(config_));
  OnDemandProber prober(shared_, Clock::System(), rig_.lookup, *rig_.transport,
                        rig_.dispatcher, continuous_,
                        /*timeout_offset=*/milliseconds(50));
  ProbeQuery query;
  query.target = kTarget;
  query.scrape_timeout = seconds(1);
  EXPECT_EQ(Value(prober.Probe(query), "probe_timeout_seconds"), 0.95);
}

TEST_F(OnDemandProberTest, SendsAsManyAsAskedFor) {
  ProbeQuery query;
  query.target = kTarget;
  query.count = 3;
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(Value(answer, "probe_success"), 1);
  EXPECT_EQ(Value(answer, "probe_icmp_packets_sent"), 3);
  EXPECT_EQ(Value(answer, "probe_icmp_packets_received"), 3);
  EXPECT_EQ(Value(answer, "probe_icmp_rtt_min_seconds"), 0.001);
  EXPECT_EQ(rig_.network.sent().size(), 3U);
}

TEST_F(OnDemandProberTest, OfAPairSendsNowWhateverTheModulesAre) {
  config_.modules["icmp"].mode = ModuleConfig::Mode::kContinuous;
  ProbeQuery query;
  query.target = kTarget;
  query.source = "auto";
  query.pair_echo = EchoSettings{.payload_size = 77};
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_THAT(answer.body, HasSubstr("\"outcome\":\"reply\""));
  ASSERT_EQ(rig_.network.sent().size(), 1U);
  EXPECT_EQ(rig_.network.sent()[0].request.payload_size, 77);
}

TEST_F(OnDemandProberTest, SucceedsWhenAnyOfSeveralIsAnswered) {
  HttpResponse answer;
  std::thread prober([&] {
    ProbeQuery query;
    query.target = kTarget;
    query.count = 3;
    answer = Probe(query);
  });
  rig_.network.WaitForSent(1);
  rig_.network.Answer({.result = EndAs(EchoOutcome::kTtlExpired)});
  prober.join();
  EXPECT_EQ(Value(answer, "probe_success"), 1);
  EXPECT_EQ(Value(answer, "probe_icmp_packets_sent"), 3);
  const double replies =
      Value(answer, "probe_icmp_packets_received").value_or(0);
  EXPECT_GE(replies, 1);
  EXPECT_EQ(replies + Value(answer,
                            "probe_icmp_outcome{outcome=\"ttl_expired"
                            "\"}")
                          .value_or(0),
            3);
}

TEST_F(OnDemandProberTest, ExplainsItselfWhenDebugIsAskedFor) {
  EchoResult unreachable = EndAs(EchoOutcome::kHostUnreachable);
  unreachable.responder = Address("192.0.2.254");
  unreachable.os_code = 11003;
  rig_.network.Answer({.result = unreachable});
  ProbeQuery query;
  query.target = kTarget;
  query.debug = true;
  const HttpResponse answer = Probe(query);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(
      answer.body,
      AllOf(HasSubstr("Logs for the probe:\n"),
            HasSubstr("echo 1: host_unreachable after "),
            HasSubstr("from 192.0.2.254 (code 11003)"),
            HasSubstr("Metrics that would have been returned:\n"),
            HasSubstr("\nprobe_success 0\n"),
            HasSubstr("Module configuration:\n"), HasSubstr("timeout = 2s")));
}

TEST_F(OnDemandProberTest, RefusesSourcesThatAreNotAllowed) {
  config_.probe.allowed_source_names = {"wan1"};
  EXPECT_EQ(ProbeFrom("wan1").status, 200);
  const HttpResponse refused = ProbeFrom("auto");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body,
            "Source \"auto\" is not in the configuration's allowed_sources\n");
  EXPECT_EQ(ProbeFrom("198.51.100.7").status, 403);
  // The module's own source is the configuration's choice.
  EXPECT_EQ(ProbeTarget(kTarget).status, 200);
}

TEST_F(OnDemandProberTest, RefusesClientsThatAskTooOften) {
  config_.probe.requests_per_second = 0.001;
  config_.probe.burst = 2;
  shared_.Set(std::make_shared<const ExporterConfig>(config_));
  OnDemandProber prober(shared_, Clock::System(), rig_.lookup, *rig_.transport,
                        rig_.dispatcher, continuous_,
                        /*timeout_offset=*/milliseconds(500));
  ProbeQuery query;
  query.target = kTarget;
  query.client = Address("192.0.2.9");
  EXPECT_EQ(prober.Probe(query).status, 200);
  EXPECT_EQ(prober.Probe(query).status, 200);
  const HttpResponse refused = prober.Probe(query);
  EXPECT_EQ(refused.status, 429);
  ASSERT_EQ(refused.headers.size(), 1U);
  EXPECT_EQ(refused.headers[0].first, "Retry-After");
  EXPECT_GT(std::stoi(refused.headers[0].second), 900);
  query.client = Address("192.0.2.10");
  EXPECT_EQ(prober.Probe(query).status, 200);
  // Those without an address are one client.
  query.client.reset();
  EXPECT_EQ(prober.Probe(query).status, 200);
  EXPECT_EQ(prober.Probe(query).status, 200);
  EXPECT_EQ(prober.Probe(query).status, 429);
}

TEST_F(OnDemandProberTest, RejectsABadQueryWithASentence) {
  const HttpResponse missing = prober_.Respond(Asking(""));
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(missing.body, "Target parameter is missing\n");
  const HttpResponse repeated = prober_.Respond(Asking("target=a&target=a"));
  EXPECT_EQ(repeated.status, 400);
  EXPECT_EQ(repeated.body, "Parameter target is given more than once\n");
  EXPECT_THAT(rig_.network.sent(), IsEmpty());
}

TEST_F(OnDemandProberTest, ReadsTheQueryTheHeaderAndTheClient) {
  config_.modules["icmp"].echo.timeout = seconds(60);
  config_.probe.requests_per_second = 0.001;
  config_.probe.burst = 1;
  shared_.Set(std::make_shared<const ExporterConfig>(config_));
  OnDemandProber prober(shared_, Clock::System(), rig_.lookup, *rig_.transport,
                        rig_.dispatcher, continuous_,
                        /*timeout_offset=*/milliseconds(500));
  HttpRequest request = Asking("target=192.0.2.1&count=2");
  request.headers = {{"x-prometheus-scrape-timeout-seconds", "31.5"}};
  request.client = Address("198.51.100.1");
  const HttpResponse response = prober.Respond(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(rig_.network.SentTo(Address(kTarget)), testing::SizeIs(2));
  EXPECT_EQ(Value(response, "probe_timeout_seconds"), 31);
  EXPECT_EQ(prober.Respond(request).status, 429);
  request.client = Address("198.51.100.2");
  EXPECT_EQ(prober.Respond(request).status, 200);
}

}  // namespace
}  // namespace echo_exporter
