#include "src/probe/continuous_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/probe/on_demand_prober.h"
#include "tests/engine/dispatcher_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* kHost = "192.0.2.1";

class ContinuousPairsTest : public DispatcherFixture {
 protected:
  ContinuousPairsTest() {
    lan().mode = ModuleConfig::Mode::kContinuous;
    config_.modules["icmp"] = {};
    config_.sources["wan1"] = {.name = "wan1",
                               .kind = SourceConfig::Kind::kAddress,
                               .address = Address("198.51.100.7"),
                               .interface_name = ""};
    config_.sources["wan2"] = {.name = "wan2",
                               .kind = SourceConfig::Kind::kInterface,
                               .address = {},
                               .interface_name = "Ethernet 2"};
    Reload();
    // The first echo of the first pair would be due at once, that of each
    // further one within its interval.
    AddPairs({"192.0.2.99"}, std::chrono::hours(1));
    Start();
  }

  ModuleConfig& lan() { return config_.modules["lan"]; }

  void Reload() {
    pairs_.MoveTo(std::make_shared<const ExporterConfig>(config_), {});
  }

  static ProbeQuery Asking(const std::string& target) {
    ProbeQuery query;
    query.target = target;
    query.module = "lan";
    return query;
  }
  HttpResponse Ask(const std::string& target = kHost,
                   const std::optional<std::string>& source = std::nullopt) {
    ProbeQuery query = Asking(target);
    query.source = source;
    return prober_.Probe(query);
  }

  static std::optional<double> Value(const HttpResponse& answer,
                                     const std::string& series) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto samples = ParseSamples(answer.body);
    const auto found = samples.find(series);
    if (found == samples.end()) return std::nullopt;
    return found->second;
  }
  static std::optional<double> Requests(const HttpResponse& answer) {
    return Value(answer, "icmp_echo_requests_total");
  }

  /// Returns how many requests there were.
  static double CheckAccounts(const HttpResponse& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    double requests = 0;
    double ended = 0;
    for (const auto& [series, value] : ParseSamples(answer.body)) {
      if (series == "icmp_echo_requests_total") requests = value;
      if (series == "icmp_echo_in_flight" ||
          series.starts_with("icmp_echo_outcomes_total{")) {
        ended += value;
      }
    }
    EXPECT_EQ(requests, ended) << answer.body;
    return requests;
  }

  double PairCount() const {
    return rig_.Sample("echo_exporter_continuous_pairs").value_or(-1);
  }

  void Allow(const std::string& prefix) {
    config_.probe.allowed_prefixes.push_back(*IpPrefix::Parse(prefix));
  }

  std::size_t SentTo(const std::string& address) const {
    return rig_.network.SentTo(Address(address)).size();
  }

  ExporterConfig config_;
  SharedConfig shared_{config_};
  ContinuousPairs pairs_{shared_, clock_, rig_.book, rig_.recorder,
                         rig_.dispatcher};
  OnDemandProber prober_{shared_,
                         clock_,
                         rig_.lookup,
                         *rig_.transport,
                         rig_.dispatcher,
                         pairs_,
                         /*timeout_offset=*/milliseconds(500)};
};

TEST_F(ContinuousPairsTest, TheFirstRequestBeginsAPairThatTheOthersRead) {
  const HttpResponse first = Ask();
  EXPECT_EQ(Value(first, "probe_success"), 0);
  EXPECT_EQ(Requests(first), 0);
  EXPECT_EQ(Value(first, "icmp_echo_up"), std::nullopt);
  EXPECT_EQ(Value(first, "probe_duration_seconds"), std::nullopt);
  for (int i = 0; i < 4; ++i) Step(seconds(1));
  const HttpResponse next = Ask();
  EXPECT_EQ(Value(next, "probe_success"), 1);
  EXPECT_EQ(CheckAccounts(next), 4);
  EXPECT_EQ(Value(next, "icmp_echo_outcomes_total{outcome=\"reply\"}"), 4);
  EXPECT_EQ(Value(next, "icmp_echo_rtt_seconds_count"), 4);
  EXPECT_EQ(Value(next, "icmp_echo_interval_seconds"), 1);
  EXPECT_EQ(Value(next, "icmp_echo_outages_total"), 0);
  EXPECT_EQ(Value(next,
                  "icmp_echo_pair_info{source_address=\"\","
                  "destination_address=\"192.0.2.1\",ip_version=\"4\"}"),
            1);
  EXPECT_THAT(next.body,
              AllOf(HasSubstr("# TYPE icmp_echo_requests_total counter\n"),
                    Not(HasSubstr("group=")), Not(HasSubstr("source=")),
                    Not(HasSubstr("destination="))));
  EXPECT_EQ(TimesOf(kHost).size(), 4U) << "and none for being asked";
}

TEST_F(ContinuousPairsTest, HasWhatUsersOfTheBlackboxExporterExpect) {
  Ask();
  Step(seconds(1));
  const HttpResponse answer = Ask();
  EXPECT_EQ(Value(answer, "probe_ip_protocol"), 4);
  EXPECT_TRUE(Value(answer, "probe_ip_addr_hash"));
  EXPECT_EQ(Value(answer, "probe_duration_seconds"), 0.001);
  EXPECT_EQ(Value(answer, "probe_icmp_duration_seconds{phase=\"rtt\"}"), 0.001);
  EXPECT_EQ(Value(answer, "probe_icmp_reply_hop_limit"), 64);
  EXPECT_EQ(Value(answer, "probe_timeout_seconds"), 2);
  rig_.network.Answer({.result = EndAs(EchoOutcome::kHostUnreachable)});
  Step(seconds(1));
  const HttpResponse down = Ask();
  EXPECT_EQ(Value(down, "probe_success"), 0);
  EXPECT_EQ(Value(down, "probe_icmp_outcome{outcome=\"host_unreachable\"}"), 1);
  EXPECT_EQ(Value(down, "probe_duration_seconds"), std::nullopt);
}

TEST_F(ContinuousPairsTest, IsNotInTheMetricsOfConfiguredPairs) {
  Ask();
  Step(seconds(1));
  EXPECT_EQ(PairCount(), 1);
  EXPECT_EQ(rig_.Sample("echo_exporter_pairs"), 1);
  EXPECT_THAT(RenderText(rig_.recorder), Not(HasSubstr("192.0.2.1\"")));
  EXPECT_EQ(rig_.Sample("echo_exporter_schedule_lag_seconds_count"), 2)
      << "of both pairs";
}

TEST_F(ContinuousPairsTest, AGroupOfTheSameNameHasPairsOfItsOwn) {
  const PairId id = rig_.recorder.AddPair({"lan", "auto", kHost, {}});
  Ask();
  Step(seconds(1));
  EXPECT_EQ(Requests(Ask()), 1);
  EXPECT_EQ(rig_.Sample("icmp_echo_requests_total{group=\"lan\","
                        "source=\"auto\",destination=\"192.0.2.1\"}"),
            0);
  rig_.recorder.RemovePair(id);
}

TEST_F(ContinuousPairsTest, AccountsForRequestsThatAreInFlight) {
  rig_.network.HoldFrom(Address(kHost));
  Ask();
  for (int i = 0; i < 3; ++i) Step(seconds(1));
  HttpResponse answer = Ask();
  EXPECT_EQ(CheckAccounts(answer), 3);
  EXPECT_EQ(Value(answer, "icmp_echo_in_flight"), 3);
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  rig_.network.AnswerHeld(EndAs(EchoOutcome::kTimeout));
  Step(Nanoseconds(0));
  answer = Ask();
  EXPECT_EQ(CheckAccounts(answer), 3);
  EXPECT_EQ(Value(answer, "icmp_echo_outcomes_total{outcome=\"timeout\"}"), 3);
  EXPECT_EQ(Value(answer, "icmp_echo_consecutive_failures"), 3);
  EXPECT_EQ(Value(answer, "icmp_echo_outages_total"), 1);
  EXPECT_THAT(rig_.outcomes.lines(),
              Contains("192.0.2.1 timeout timeout, 3 lost: outage"))
      << "for the log";
}

TEST_F(ContinuousPairsTest, WhoAsksForTheSameSharesAPair) {
  Ask("2001:db8::1");
  Ask("[2001:DB8:0::1]");
  Ask("2001:db8::1", "auto");
  rig_.lookup.Set("a.example.net", {Address(kHost)});
  Ask("a.example.net");
  Ask("A.Example.net");
  EXPECT_EQ(PairCount(), 2);
  Ask("2001:db8::1", "wan1");
  EXPECT_EQ(PairCount(), 3) << "another source";
  config_.modules["lan2"] = lan();
  Reload();
  ProbeQuery query = Asking("2001:db8::1");
  query.module = "lan2";
  prober_.Probe(query);
  EXPECT_EQ(PairCount(), 4) << "another module";
}

TEST_F(ContinuousPairsTest, EndsWhenNobodyAsksForIt) {
  Ask();
  Step(minutes(4));
  pairs_.EndUnasked();
  EXPECT_GE(Requests(Ask()).value_or(0), 1);
  rig_.network.HoldFrom(Address(kHost));
  Step(minutes(5) - milliseconds(1));
  pairs_.EndUnasked();
  EXPECT_EQ(PairCount(), 1);
  Step(milliseconds(1));
  pairs_.EndUnasked();
  EXPECT_EQ(PairCount(), 0);
  const std::size_t sent = SentTo(kHost);
  Step(minutes(1));
  EXPECT_EQ(SentTo(kHost), sent);
  // What was in flight ends, and no pair remains of it.
  EXPECT_GE(rig_.network.AnswerHeld(EndAs(EchoOutcome::kTimeout)), 1U);
  EXPECT_THAT(rig_.recorder.Snapshot(), SizeIs(1));
  EXPECT_EQ(Requests(Ask()), 0) << "a new one";
}

TEST_F(ContinuousPairsTest, EndsTheWatchesOfAPairWithIt) {
  const auto entries = [this] {
    const auto name = rig_.book.WatchName("a.example.net", minutes(60));
    const auto adapter = rig_.book.WatchInterface("Ethernet 2");
    rig_.book.Unwatch(name);
    rig_.book.Unwatch(adapter);
    return std::vector{name.entry, adapter.entry};
  };
  Ask("a.example.net", "wan2");
  const auto first = entries();
  config_.modules["icmp"].echo.ttl = 7;
  Reload();
  EXPECT_EQ(entries(), first);
  config_.sources["wan2"].interface_name = "Ethernet 3";
  Reload();
  const auto second = entries();
  EXPECT_EQ(second[0], first[0]);
  EXPECT_NE(second[1], first[1]) << "it was not watched any more";
  Step(minutes(5));
  pairs_.EndUnasked();
  EXPECT_NE(entries()[0], first[0]);
}

TEST_F(ContinuousPairsTest, RefusesMoreThanTheConfigurationAllows) {
  config_.probe.max_continuous = 2;
  Reload();
  Ask("192.0.2.1");
  Step(minutes(3));
  Ask("192.0.2.2");
  const HttpResponse refused = Ask("192.0.2.3");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body,
            "Too many pairs of continuous modules; the configuration's "
            "max_continuous allows 2\n");
  EXPECT_THAT(refused.headers, Contains(testing::Pair("Retry-After", "10")));
  EXPECT_EQ(Ask("192.0.2.2").status, 200) << "those that there are go on";
  // The first has been unasked for long enough: its place is free.
  Step(minutes(2));
  EXPECT_EQ(Ask("192.0.2.3").status, 200);
  EXPECT_EQ(PairCount(), 2);
  config_.probe.max_continuous = 0;
  Reload();
  EXPECT_EQ(Ask("192.0.2.3").status, 200);
  EXPECT_EQ(Ask("192.0.2.4").status, 503);
}

TEST_F(ContinuousPairsTest, KeepsTheRulesOfProbes) {
  Allow("192.0.2.0/24");
  config_.probe.allowed_source_names = {"wan1"};
  Reload();
  EXPECT_EQ(Ask("198.51.100.1").status, 403);
  EXPECT_EQ(Ask(kHost, "wan2").status, 403);
  EXPECT_EQ(Ask(kHost, "wan9").status, 400);
  const HttpResponse no_target = Ask("192.0.2.0/24");
  EXPECT_EQ(Value(no_target, "probe_success"), 0);
  EXPECT_EQ(Requests(no_target), std::nullopt);
  ProbeQuery query = Asking(kHost);
  query.count = 3;
  const HttpResponse counted = prober_.Probe(query);
  EXPECT_EQ(counted.status, 400);
  EXPECT_EQ(counted.body,
            "Parameter count is for modules that probe on demand; module "
            "\"lan\" is continuous\n");
  EXPECT_EQ(PairCount(), 0);
  EXPECT_EQ(Ask(kHost, "wan1").status, 200);
  config_.probe.enabled = false;
  Reload();
  EXPECT_EQ(PairCount(), 0);
  EXPECT_EQ(Ask(kHost, "wan1").status, 403);
}

TEST_F(ContinuousPairsTest, ProbesANameOnceItResolves) {
  rig_.lookup.Fail("a.example.net");
  EXPECT_EQ(Value(Ask("a.example.net"), "probe_success"), 0);
  rig_.lookup.WaitForCalls("a.example.net", 1);
  Step(seconds(1));
  const HttpResponse answer = Ask("a.example.net");
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_EQ(Value(answer, "icmp_echo_resolved"), 0);
  EXPECT_EQ(Requests(answer), 0);
  const auto watch = rig_.book.WatchName("a.example.net", milliseconds(1));
  rig_.lookup.Set("a.example.net", {Address(kHost)});
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  EXPECT_EQ(Value(Ask("a.example.net"), "probe_success"), 1);
  EXPECT_EQ(Value(Ask("a.example.net"), "icmp_echo_resolved"), 1);
  rig_.book.Unwatch(watch);
}

TEST_F(ContinuousPairsTest, ProbesOnlyTheAllowedAddressesOfAName) {
  Allow("10.0.0.0/8");
  Reload();
  rig_.lookup.Set("both.example.net",
                  {Address("192.0.2.1"), Address("10.0.0.1")});
  rig_.lookup.Set("out.example.net", {Address("192.0.2.1")});
  rig_.lookup.Block("out.example.net");
  EXPECT_EQ(Ask("both.example.net").status, 200);
  EXPECT_EQ(Ask("out.example.net").status, 200) << "it is not known yet";
  rig_.lookup.Release("out.example.net");
  for (const char* const name : {"both.example.net", "out.example.net"}) {
    const auto watch = rig_.book.WatchName(name, milliseconds(1));
    rig_.lookup.WaitForRefresh(name);
    rig_.book.Unwatch(watch);
  }
  Step(seconds(1));
  EXPECT_EQ(Value(Ask("both.example.net"), "probe_success"), 1);
  const HttpResponse refused = Ask("out.example.net");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("No address of target "
                                      "\"out.example.net\""));
  EXPECT_EQ(SentTo("192.0.2.1"), 0U);
  EXPECT_EQ(SentTo("10.0.0.1"), 1U);
  // Being refused does not keep the pair.
  Step(minutes(4));
  Ask("both.example.net");
  EXPECT_EQ(Ask("out.example.net").status, 403);
  Step(minutes(1));
  pairs_.EndUnasked();
  EXPECT_EQ(PairCount(), 1);
}

TEST_F(ContinuousPairsTest, ANameThatLosesItsAllowedAddressFails) {
  Allow("10.0.0.0/8");
  Reload();
  rig_.lookup.Set("a.example.net", {Address("10.0.0.1")});
  Ask("a.example.net");
  const auto watch = rig_.book.WatchName("a.example.net", milliseconds(1));
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  EXPECT_EQ(Value(Ask("a.example.net"), "probe_success"), 1);
  rig_.lookup.Set("a.example.net", {Address("192.0.2.1")});
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  EXPECT_EQ(Ask("a.example.net").status, 403);
  EXPECT_EQ(SentTo("192.0.2.1"), 0U);
  EXPECT_EQ(SentTo("10.0.0.1"), 1U);
  rig_.book.Unwatch(watch);
}

// Nothing is sent any more, so the last outcome, a reply, says nothing.
TEST_F(ContinuousPairsTest, ATargetWithoutAUsableAddressIsNoSuccess) {
  rig_.lookup.Set("a.example.net", {Address(kHost)});
  Ask("a.example.net", "wan1");
  const auto watch = rig_.book.WatchName("a.example.net", milliseconds(1));
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  EXPECT_EQ(Value(Ask("a.example.net", "wan1"), "probe_success"), 1);
  rig_.lookup.Set("a.example.net", {Address("2001:db8::1")});
  rig_.lookup.WaitForRefresh("a.example.net");
  Step(seconds(1));
  const HttpResponse answer = Ask("a.example.net", "wan1");
  EXPECT_EQ(Value(answer, "probe_success"), 0);
  EXPECT_EQ(Value(answer, "probe_ip_protocol"), std::nullopt);
  EXPECT_EQ(CheckAccounts(answer), 1);
  rig_.book.Unwatch(watch);
}

TEST_F(ContinuousPairsTest, AnAdapterWithoutAddressIsALossAsElsewhere) {
  rig_.lookup.Set("Ethernet 2", {Address("198.51.100.8")});
  Ask(kHost, "wan2");
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Step(seconds(1));
  EXPECT_EQ(Value(Ask(kHost, "wan2"), "probe_success"), 1);
  rig_.lookup.Fail("Ethernet 2", "no address", ErrorCode::kNotFound);
  rig_.lookup.WaitForRefresh("Ethernet 2");
  Step(seconds(1));
  const HttpResponse down = Ask(kHost, "wan2");
  EXPECT_EQ(Value(down, "probe_success"), 0);
  EXPECT_EQ(Value(down, "probe_icmp_outcome{outcome=\"bad_source\"}"), 1);
  CheckAccounts(down);
}

TEST_F(ContinuousPairsTest, AReloadThatChangesNothingOfThemTouchesNone) {
  rig_.network.HoldFrom(Address(kHost));
  Allow("0.0.0.0/0");
  Reload();
  rig_.lookup.Set("a.example.net", {Address("192.0.2.2")});
  Ask();
  Ask("a.example.net", "wan2");
  Step(milliseconds(900));
  config_.modules["other"] = {};
  config_.modules["lan"].keep = minutes(10);
  Reload();
  Step(milliseconds(900));
  const HttpResponse answer = Ask();
  EXPECT_EQ(CheckAccounts(answer), 2) << "in its phase";
  EXPECT_EQ(Value(answer, "icmp_echo_in_flight"), 2);
  Step(minutes(9));
  pairs_.EndUnasked();
  EXPECT_EQ(PairCount(), 2) << "for the new time";
}

TEST_F(ContinuousPairsTest, AReloadChangesThoseWhoseModuleChanged) {
  Ask();
  Step(seconds(1));
  lan().echo.payload_size = 7;
  Reload();
  Step(seconds(1));
  EXPECT_EQ(RequestsTo(kHost).back().payload_size, 7);
  EXPECT_EQ(CheckAccounts(Ask()), 2) << "with its counters";
  lan().interval = minutes(1);
  Reload();
  for (int i = 0; i < 60; ++i) Step(seconds(1));
  const HttpResponse answer = Ask();
  EXPECT_EQ(CheckAccounts(answer), 3);
  EXPECT_EQ(Value(answer, "icmp_echo_interval_seconds"), 60);
}

TEST_F(ContinuousPairsTest, AReloadEndsThoseThatItWouldNotBegin) {
  Ask("192.0.2.1");
  Ask("192.0.2.2", "198.51.100.7");
  Ask("192.0.2.3", "wan1");
  Ask("10.0.0.1");
  Allow("192.0.2.0/24");
  Reload();
  EXPECT_EQ(PairCount(), 3) << "the target";
  config_.probe.allowed_source_names = {"wan1"};
  Reload();
  EXPECT_EQ(PairCount(), 2) << "the source";
  config_.sources.clear();
  Reload();
  EXPECT_EQ(PairCount(), 1) << "what its name means";
  lan().mode = ModuleConfig::Mode::kOnDemand;
  Reload();
  EXPECT_EQ(PairCount(), 0) << "the mode";
  Step(seconds(1));
  EXPECT_EQ(SentTo("192.0.2.1"), 0U);
  lan().mode = ModuleConfig::Mode::kContinuous;
  Reload();
  Ask();
  config_.modules.erase("lan");
  Reload();
  EXPECT_EQ(PairCount(), 0) << "the module";
  EXPECT_EQ(Ask().status, 400);
}

TEST_F(ContinuousPairsTest, AReloadFollowsTheSource) {
  Ask();
  Ask(kHost, "wan1");
  config_.sources["wan1"].address = Address("198.51.100.9");
  Reload();
  EXPECT_EQ(PairCount(), 2);
  Step(seconds(1));
  EXPECT_EQ(RequestsTo(kHost).size(), 2U);
  EXPECT_EQ(CheckAccounts(Ask(kHost, "wan1")), 1);
  // What had the module's source ends; what named one goes on.
  lan().source = config_.sources["wan1"];
  Reload();
  EXPECT_EQ(PairCount(), 1);
  EXPECT_EQ(CheckAccounts(Ask()), 1) << "the one from wan1";
  Step(seconds(1));
  EXPECT_EQ(RequestsTo(kHost).back().source, Address("198.51.100.9"));
}

TEST_F(ContinuousPairsTest, SendsFromTheSourcesAddressOfTheIpVersion) {
  config_.sources["wan1"].other_address = Address("2001:db8::7");
  Reload();
  EXPECT_EQ(Ask("2001:db8::1", "wan1").status, 200);
  Step(seconds(1));
  ASSERT_THAT(RequestsTo("2001:db8::1"), SizeIs(1));
  EXPECT_EQ(RequestsTo("2001:db8::1")[0].source, Address("2001:db8::7"));
}

TEST_F(ContinuousPairsTest, NothingBeginsByAConfigurationThatIsNotCurrent) {
  const auto old_config = shared_.Get();
  Reload();
  const auto target = ParseTarget(config_.probe, kHost);
  EXPECT_FALSE(
      pairs_.Probe(Asking(kHost), old_config, lan(), *target).has_value());
  EXPECT_EQ(PairCount(), 0);
  EXPECT_TRUE(
      pairs_.Probe(Asking(kHost), shared_.Get(), lan(), *target).has_value());
}

TEST_F(ContinuousPairsTest, HasTheFormatAndTheFamiliesOfTheMetrics) {
  config_.omit.set(IndexOf(PairFamily::kJitter));
  Reload();
  Ask();
  for (int i = 0; i < 2; ++i) Step(seconds(1));
  EXPECT_THAT(Ask().body, AllOf(Not(HasSubstr("jitter")),
                                HasSubstr("icmp_echo_reply_ttl 64\n")));
  const HttpResponse protobuf = prober_.Respond(
      {.method = "GET",
       .path = "/probe",
       .query = "module=lan&target=192.0.2.1",
       .headers = {
           {"Accept", std::string(ContentTypeOf(MetricsFormat::kProtobuf))}}});
  EXPECT_EQ(protobuf.content_type, ContentTypeOf(MetricsFormat::kProtobuf));
  EXPECT_THAT(protobuf.headers, Contains(testing::Pair("Vary", "Accept")));
  EXPECT_THAT(protobuf.body, AllOf(HasSubstr("icmp_echo_requests_total"),
                                   HasSubstr("probe_success")));
}

TEST_F(ContinuousPairsTest, ExplainsItselfWhenDebugIsAskedFor) {
  Ask();
  Step(seconds(1));
  const HttpResponse answer = prober_.Respond(
      {.method = "GET",
       .path = "/probe",
       .query = "module=lan&target=192.0.2.1&debug=true",
       .headers = {
           {"Accept", std::string(ContentTypeOf(MetricsFormat::kProtobuf))}}});
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(
      answer.body,
      AllOf(HasSubstr("pair of module lan: auto -> 192.0.2.1\n"
                      "probed every 1s until nobody asks for 5m\n"
                      "address: 192.0.2.1\n"
                      "1 requests, 0 in flight, last: reply\n"),
            HasSubstr("Metrics that would have been returned:\n# HELP icmp"),
            HasSubstr("\nprobe_success 1\n"),
            HasSubstr("mode = continuous, interval = 1s, keep = 5m\n")));
}

TEST_F(ContinuousPairsTest, TellsTheLastOutcomesWhileItStops) {
  rig_.network.HoldFrom(Address(kHost));
  Ask();
  Step(seconds(1));
  rig_.dispatcher.Stop();
  const HttpResponse refused = Ask("192.0.2.2");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, "The exporter is stopping\n");
  rig_.network.AnswerHeld(ReplyAfter(milliseconds(5)));
  const HttpResponse last = Ask();
  EXPECT_EQ(CheckAccounts(last), 1);
  EXPECT_EQ(Value(last, "probe_success"), 1);
}

TEST_F(ContinuousPairsTest, StaysExactWhileClientsAskReloadsComeAndPairsEnd) {
  lan().interval = milliseconds(1);
  lan().keep = Nanoseconds(0);  // each look ends all of them
  Reload();
  std::atomic<bool> done{false};
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([this, client] {
      for (int i = 0; i < 500; ++i) {
        CheckAccounts(Ask("192.0.2." + std::to_string((client + i) % 5 + 1)));
      }
    });
  }
  std::thread reloads([this, &done] {
    for (int i = 0; !done; ++i) {
      clock_.Advance(milliseconds(1));
      lan().interval = milliseconds(1 + i % 2);
      lan().echo.ttl = static_cast<std::uint8_t>(1 + i % 100);
      Reload();
      pairs_.EndUnasked();
    }
  });
  for (std::thread& client : clients) client.join();
  done = true;
  reloads.join();
  pairs_.EndUnasked();
  EXPECT_EQ(PairCount(), 0);
  Step(Nanoseconds(0));
  EXPECT_THAT(rig_.recorder.Snapshot(), SizeIs(1));
}

}  // namespace
}  // namespace echo_exporter
