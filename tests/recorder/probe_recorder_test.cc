#include "echo_exporter/probe_recorder.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/recorder/samples.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FixedClock : public Clock {
 public:
  SteadyTime Now() const override { return {}; }
  WallTime WallNow() const override { return wall_now; }

  WallTime wall_now{std::chrono::seconds(1'700'000'000)};
};

class ProbeRecorderTest : public testing::Test {
 protected:
  void Finish(PairId pair, EchoOutcome outcome, Nanoseconds rtt = {},
              std::optional<std::uint8_t> reply_ttl = std::nullopt) {
    EchoResult result;
    result.outcome = outcome;
    result.rtt = rtt;
    result.completion_delay = milliseconds(250);
    result.reply_ttl = reply_ttl;
    recorder_.RecordResult(Send(pair), result);
  }

  RequestId Send(PairId pair) {
    return recorder_.RecordRequest(pair, {}, 3).id;
  }

  std::map<std::string, double> Samples() const {
    return ParseSamples(RenderText(recorder_));
  }

  FixedClock clock_;
  ProbeRecorder recorder_{{.rtt_buckets = {0.00005, 0.0001, 0.0002, 0.0004}},
                          clock_};
};

TEST_F(ProbeRecorderTest, RendersPairsAsTheGoldenText) {
  recorder_.AddPair({"lan", "auto", "192.0.2.1", {}});
  recorder_.AddPair({"wan", "wan1", "dns.example.net", {{"site", "fra"}}});
  recorder_.AddPair({"wan", "wan1", "2001:db8::1", {{"site", "fra"}}});
  recorder_.Describe(0, {.interval = std::chrono::seconds(1)});
  recorder_.Describe(1, {.interval = milliseconds(250), .has_name = true});
  recorder_.SetRoute(0, Route{{}, *IpAddress::Parse("192.0.2.1")}, true);
  recorder_.SetRoute(
      1,
      Route{IpAddress::Parse("198.51.100.7"), *IpAddress::Parse("203.0.113.5")},
      true);
  Finish(0, EchoOutcome::kReply, microseconds(100), std::uint8_t{64});
  Finish(0, EchoOutcome::kReply, Nanoseconds(237'400), std::uint8_t{64});
  Finish(1, EchoOutcome::kReply, milliseconds(12), std::uint8_t{57});
  Finish(1, EchoOutcome::kTimeout);
  Finish(1, EchoOutcome::kHostUnreachable);
  Send(1);

  std::ifstream file("tests/recorder/testdata/golden.prom");
  ASSERT_TRUE(file) << "run the tests in the root of the source tree";
  std::ostringstream golden;
  golden << file.rdbuf();
  const std::string text = RenderText(recorder_);
  EXPECT_EQ(text.substr(0, text.find("# HELP echo_exporter_")), golden.str());
}

/// Checks what holds in every rendering for the pair with this
/// label text; gives its requests.
double ExpectExact(const std::map<std::string, double>& samples,
                   const std::string& labels) {
  const std::string outcome_prefix =
      "icmp_echo_outcomes_total{" + labels + ",outcome=";
  double outcomes = 0;
  double losses = 0;
  for (const auto& [series, value] : samples) {
    if (series.rfind(outcome_prefix, 0) != 0) continue;
    outcomes += value;
    const std::string outcome = series.substr(outcome_prefix.size());
    if (outcome != "\"reply\"}" && outcome != "\"suspended\"}" &&
        outcome != "\"no_resources\"}") {
      losses += value;
    }
  }
  EXPECT_EQ(losses,
            samples.at("icmp_echo_failure_run_length_sum{" + labels + "}") +
                samples.at("icmp_echo_consecutive_failures{" + labels + "}"));
  const double requests =
      samples.at("icmp_echo_requests_total{" + labels + "}");
  EXPECT_EQ(requests,
            outcomes + samples.at("icmp_echo_in_flight{" + labels + "}"));
  const double replies = samples.at(outcome_prefix + "\"reply\"}");
  EXPECT_EQ(samples.at("icmp_echo_rtt_seconds_count{" + labels + "}"), replies);
  EXPECT_EQ(
      samples.at("icmp_echo_rtt_seconds_bucket{" + labels + R"(,le="+Inf"})"),
      replies);
  return requests;
}

TEST_F(ProbeRecorderTest, StaysExactWhileManyThreadsRecord) {
  recorder_.AddPair({"g", "s", "0", {}});
  recorder_.AddPair({"g", "s", "1", {}});
  const std::string labels[] = {R"(group="g",source="s",destination="0")",
                                R"(group="g",source="s",destination="1")"};
  std::atomic<std::uint64_t> requests = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, &requests](const std::stop_token& stop) {
      for (unsigned i = 0; !stop.stop_requested(); ++i) {
        const PairId pair = i % 2;
        const RequestId overtaken = Send(pair);
        Finish(pair, EchoOutcome::kReply, microseconds(i % 1000));
        EchoResult result;
        result.outcome = static_cast<EchoOutcome>(i % kEchoOutcomeCount);
        recorder_.RecordResult(overtaken, result);
        requests += 2;
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    const auto samples = Samples();
    for (const std::string& pair : labels) ExpectExact(samples, pair);
    if (HasFailure()) break;
  }
  threads.clear();

  const auto samples = Samples();
  EXPECT_EQ(ExpectExact(samples, labels[0]) + ExpectExact(samples, labels[1]),
            static_cast<double>(requests));
  for (const std::string& pair : labels) {
    EXPECT_EQ(samples.at("icmp_echo_in_flight{" + pair + "}"), 0);
  }
}

TEST_F(ProbeRecorderTest, AddsPairsWhileOthersRecord) {
  recorder_.AddPair({"g", "s", "0", {}});
  std::jthread other([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) Finish(0, EchoOutcome::kReply);
  });
  for (PairId pair = 1; pair < 1000; ++pair) {
    recorder_.AddPair({"g", "s", std::to_string(pair), {}});
    Finish(pair, EchoOutcome::kTimeout);
  }
  other.request_stop();
  other.join();
  const auto samples = Samples();
  EXPECT_EQ(samples.at("echo_exporter_pairs"), 1000);
  EXPECT_EQ(samples.at(R"(icmp_echo_outcomes_total{group="g",source="s",)"
                       R"(destination="999",outcome="timeout"})"),
            1);
}

TEST_F(ProbeRecorderTest, RendersPairsInTheOrderInWhichTheyWereAdded) {
  std::string expected;
  for (int pair = 0; pair < 200; ++pair) {
    const std::string destination = std::to_string(pair);
    recorder_.AddPair({"g", "s", destination, {}});
    expected += R"(icmp_echo_in_flight{group="g",source="s",destination=")" +
                destination + "\"} 0\n";
  }
  EXPECT_THAT(RenderText(recorder_), HasSubstr(expected));
}

TEST_F(ProbeRecorderTest, APairIsItsGroupSourceAndDestination) {
  const PairId id = recorder_.AddPair({"g", "s", "d", {{"site", "fra"}}});
  EXPECT_EQ(recorder_.AddPair({"g", "s", "d", {{"site", "fra"}}}), id);
  EXPECT_EQ(recorder_.AddPair({"g", "s", "d", {}}), id);
  EXPECT_NE(recorder_.AddPair({"h", "s", "d", {}}), id);
  EXPECT_NE(recorder_.AddPair({"g", "t", "d", {}}), id);
  EXPECT_NE(recorder_.AddPair({"g", "s", "e", {}}), id);
  EXPECT_NE(recorder_.AddPair({"d", "s", "g", {}}), id);
  EXPECT_NE(recorder_.AddPair({"gs", "", "d", {}}), id);
  EXPECT_EQ(recorder_.Snapshot().size(), 6U);
  EXPECT_EQ(Samples().at("echo_exporter_pairs"), 6);
}

TEST_F(ProbeRecorderTest, APairKeepsItsCountersUnderOtherLabels) {
  const PairId id = recorder_.AddPair({"g", "s", "d", {}});
  recorder_.SetRoute(id, Route{{}, *IpAddress::Parse("192.0.2.1")}, true);
  Finish(id, EchoOutcome::kReply);
  const auto before = recorder_.LabelsOf(id);
  const PairLabels other{"g", "s", "d", {{"site", "fra"}}};
  ASSERT_EQ(recorder_.AddPair(other), id);
  EXPECT_EQ(*recorder_.LabelsOf(id), *before);
  recorder_.Relabel(id, ProbeRecorder::Prepare(other));
  const auto samples = Samples();
  EXPECT_EQ(samples.at("icmp_echo_requests_total{group=\"g\",source=\"s\","
                       "destination=\"d\",site=\"fra\"}"),
            1);
  EXPECT_FALSE(samples.contains(
      "icmp_echo_requests_total{group=\"g\",source=\"s\",destination=\"d\"}"));
  EXPECT_EQ(*recorder_.LabelsOf(id),
            (PairLabels{"g", "s", "d", {{"site", "fra"}}}));
  EXPECT_EQ(*before, (PairLabels{"g", "s", "d", {}}));
  EXPECT_TRUE(recorder_.Snapshot().at(0).route);
  // It is found under them, too, when it is to end.
  recorder_.RemovePair(id);
  EXPECT_THAT(recorder_.Snapshot(), IsEmpty());
  EXPECT_NE(recorder_.AddPair({"g", "s", "d", {{"site", "fra"}}}), id);
}

TEST_F(ProbeRecorderTest, ARemovedPairThatHasNotEndedGoesOnWithoutARoute) {
  const PairId id = recorder_.AddPair({"g", "s", "d", {}});
  recorder_.SetRoute(id, Route{{}, *IpAddress::Parse("192.0.2.1")}, true);
  const RequestId request = Send(id);
  recorder_.RemovePair(id);
  EXPECT_EQ(Samples().at("echo_exporter_pairs"), 0);
  ASSERT_EQ(recorder_.AddPair({"g", "s", "d", {}}), id);
  EXPECT_EQ(Samples().at("echo_exporter_pairs"), 1);
  EXPECT_EQ(recorder_.Snapshot().at(0).route, std::nullopt);
  recorder_.RecordResult(request, {});
  const PairStatus status = recorder_.Snapshot().at(0);
  EXPECT_EQ(status.statistics.requests, 1U);
  EXPECT_EQ(status.statistics.in_flight, 0U);
}

TEST_F(ProbeRecorderTest, NeverUsesANumberAgain) {
  const PairId removed_idle = recorder_.AddPair({"g", "s", "d", {}});
  recorder_.RemovePair(removed_idle);
  const PairId removed_busy = recorder_.AddPair({"g", "s", "d", {}});
  EXPECT_NE(removed_busy, removed_idle);
  const RequestId request = Send(removed_busy);
  recorder_.RemovePair(removed_busy);
  recorder_.RecordResult(request, {});
  EXPECT_THAT(recorder_.Snapshot(), IsEmpty());
  const PairId last = recorder_.AddPair({"g", "s", "d", {}});
  EXPECT_NE(last, removed_busy);
  EXPECT_NE(last, removed_idle);
  EXPECT_EQ(recorder_.Snapshot().at(0).statistics.requests, 0U);
}

TEST_F(ProbeRecorderTest, APairEndsOrGoesOnWhenItsLastOutcomeRacesWithIt) {
  for (int i = 0; i < 1000; ++i) {
    const PairId id = recorder_.AddPair({"g", "s", "d", {}});
    const RequestId request = Send(id);
    recorder_.RemovePair(id);
    std::thread transport([&] { recorder_.RecordResult(request, {}); });
    const PairId next = recorder_.AddPair({"g", "s", "d", {}});
    transport.join();
    const std::vector<PairStatus> pairs = recorder_.Snapshot();
    ASSERT_EQ(pairs.size(), 1U);
    ASSERT_EQ(pairs[0].id, next);
    ASSERT_EQ(pairs[0].statistics.requests, next == id ? 1U : 0U);
    ASSERT_EQ(pairs[0].statistics.in_flight, 0U);
    recorder_.RemovePair(next);
  }
}

TEST_F(ProbeRecorderTest, ShowsEachPairWithItsLabelsStatisticsAndRoute) {
  const PairId first = recorder_.AddPair({"g", "s", "a", {{"site", "fra"}}});
  const PairId second = recorder_.AddPair({"g", "s", "b", {}});
  const Route route{IpAddress::Parse("198.51.100.7"),
                    *IpAddress::Parse("192.0.2.1"), 3};
  recorder_.SetRoute(first, route, true);
  Finish(first, EchoOutcome::kReply, microseconds(100), std::uint8_t{64});
  Finish(first, EchoOutcome::kReply, microseconds(260), std::uint8_t{63});
  Finish(second, EchoOutcome::kReply, milliseconds(1), std::uint8_t{9});
  Finish(second, EchoOutcome::kPacketTooBig);
  Send(second);
  recorder_.RecordStrayReply(second, StrayReply::kDuplicate);

  const std::vector<PairStatus> pairs = recorder_.Snapshot();
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].id, first);
  EXPECT_EQ(*pairs[0].labels, (PairLabels{"g", "s", "a", {{"site", "fra"}}}));
  EXPECT_EQ(pairs[0].route, route);
  const PairStatistics& up = pairs[0].statistics;
  EXPECT_EQ(up.requests, 2U);
  EXPECT_EQ(up.in_flight, 0U);
  EXPECT_TRUE(up.up);
  EXPECT_EQ(up.last_outcome, EchoOutcome::kReply);
  EXPECT_EQ(up.consecutive_failures, 0U);
  EXPECT_EQ(up.last_rtt, microseconds(260));
  EXPECT_EQ(up.jitter, microseconds(10));
  EXPECT_EQ(up.reply_ttl, 63);

  EXPECT_EQ(pairs[1].id, second);
  EXPECT_EQ(pairs[1].route, std::nullopt);
  const PairStatistics& down = pairs[1].statistics;
  EXPECT_EQ(down.requests, 3U);
  EXPECT_EQ(down.in_flight, 1U);
  std::array<std::uint64_t, kEchoOutcomeCount> outcomes{};
  outcomes[static_cast<std::size_t>(EchoOutcome::kReply)] = 1;
  outcomes[static_cast<std::size_t>(EchoOutcome::kPacketTooBig)] = 1;
  EXPECT_EQ(down.outcomes, outcomes);
  EXPECT_THAT(down.stray_replies, ElementsAre(0, 1));
  EXPECT_FALSE(down.up);
  EXPECT_EQ(down.last_outcome, EchoOutcome::kPacketTooBig);
  EXPECT_EQ(down.consecutive_failures, 1U);
  EXPECT_FALSE(down.in_outage);
  EXPECT_EQ(down.last_rtt, std::nullopt);
  EXPECT_EQ(down.jitter, std::nullopt);
  EXPECT_EQ(down.reply_ttl, 9);
}

TEST_F(ProbeRecorderTest, RendersOnePairOfAModuleWithoutItsLabels) {
  const PairLabels labels{"lan", "auto", "a", {}, "", /*of_module=*/true};
  const PairId pair = recorder_.AddPair(labels);
  EXPECT_NE(recorder_.AddPair({"lan", "auto", "a", {}}), pair);
  EXPECT_EQ(recorder_.AddPair(labels), pair);
  Finish(pair, EchoOutcome::kReply, microseconds(150), 57);
  Send(pair);
  std::string text = "before\n";
  const auto status = recorder_.RenderPair(pair, {}, &text);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->labels->destination, "a");
  EXPECT_EQ(status->statistics.requests, 2U);
  EXPECT_EQ(status->statistics.last_outcome, EchoOutcome::kReply);
  EXPECT_THAT(text, testing::StartsWith(
                        "before\n# HELP icmp_echo_requests_total ICMP echo "
                        "requests attempted.\n# TYPE icmp_echo_requests_total "
                        "counter\nicmp_echo_requests_total 2\n"));
  const auto samples = ParseSamples(text);
  EXPECT_EQ(samples.at("icmp_echo_outcomes_total{outcome=\"reply\"}"), 1);
  EXPECT_EQ(samples.at("icmp_echo_in_flight"), 1);
  EXPECT_EQ(samples.at("icmp_echo_rtt_seconds_bucket{le=\"0.0002\"}"), 1);
  EXPECT_EQ(samples.at("icmp_echo_reply_ttl"), 57);

  const auto all = Samples();
  EXPECT_EQ(all.at("echo_exporter_continuous_pairs"), 1);
  EXPECT_EQ(all.at("echo_exporter_pairs"), 1);
  EXPECT_EQ(all.at("icmp_echo_requests_total{group=\"lan\",source=\"auto\","
                   "destination=\"a\"}"),
            0);
  recorder_.RemovePair(pair);
  EXPECT_EQ(Samples().at("echo_exporter_continuous_pairs"), 0);
  EXPECT_TRUE(recorder_.RenderPair(pair, {}, &text)) << "one is in flight";
  EchoResult result;
  result.outcome = EchoOutcome::kTimeout;
  recorder_.RecordResult({pair, 1}, result);
  EXPECT_FALSE(recorder_.RenderPair(pair, {}, &text));
}

TEST_F(ProbeRecorderTest, SaysThatNothingCanBeSentForWantOfAnAddress) {
  const PairId id = recorder_.AddPair({"g", "s", "a", {}});
  const auto unresolved = [this, id] {
    const PairStatus status = recorder_.Snapshot().at(0);
    const PairCondition condition = recorder_.Conditions().at(0);
    EXPECT_EQ(condition.id, id);
    EXPECT_EQ(condition.in_outage, status.statistics.in_outage);
    EXPECT_EQ(condition.unresolved, status.unresolved);
    return status.unresolved;
  };
  EXPECT_FALSE(unresolved());  // nobody has looked yet
  recorder_.SetRoute(id, std::nullopt, false);
  EXPECT_TRUE(unresolved());
  recorder_.SetRoute(id, Route{{}, *IpAddress::Parse("192.0.2.1")}, true);
  EXPECT_FALSE(unresolved());
  // The source has no address: at first nothing is sent, then it is a loss.
  recorder_.SetRoute(id, std::nullopt, true);
  EXPECT_TRUE(unresolved());
  for (int i = 0; i < 3; ++i) Finish(id, EchoOutcome::kBadSource);
  EXPECT_TRUE(recorder_.Snapshot()[0].statistics.in_outage);
  EXPECT_FALSE(unresolved());
}

TEST_F(ProbeRecorderTest, EverySnapshotIsExactWhileOthersRecord) {
  const PairId id = recorder_.AddPair({"g", "s", "d", {}});
  std::jthread other([this, id](const std::stop_token& stop) {
    while (!stop.stop_requested()) Finish(id, EchoOutcome::kReply);
  });
  for (int i = 0; i < 1000; ++i) {
    const PairStatistics statistics = recorder_.Snapshot().at(0).statistics;
    const std::uint64_t replies =
        statistics.outcomes[static_cast<std::size_t>(EchoOutcome::kReply)];
    ASSERT_EQ(statistics.requests, replies + statistics.in_flight);
  }
}

TEST_F(ProbeRecorderTest, HostileNamesCannotBreakTheFormat) {
  recorder_.AddPair({"g", "s", "d", {{"x", "y"}}});
  const std::size_t tame = Samples().size();
  recorder_.AddPair({"\"} 1\nup 0\n",
                     "\\",
                     "\xC3\"\n# TYPE up gauge\n\xFF",
                     {{"x", "\",evil=\"\\"}}});
  const std::string text = RenderText(recorder_);
  const std::string labels =
      R"({group="\"} 1\nup 0\n",source="\\",)"
      "destination=\"\xEF\xBF\xBD\\\"\\n# TYPE up gauge\\n\xEF\xBF\xBD\","
      R"(x="\",evil=\"\\"})";
  EXPECT_THAT(text, HasSubstr("\nicmp_echo_in_flight" + labels + " 0\n"));
  // requests, two outcomes, in flight, five buckets, sum, count,
  // consecutive failures, outages, their time, nine buckets, sum, count.
  EXPECT_EQ(ParseSamples(text).size(), tame + 25);
}

TEST_F(ProbeRecorderTest, ForgetsTheAddressesOfALostRoute) {
  recorder_.AddPair({"g", "s", "d", {}});
  EXPECT_THAT(RenderText(recorder_), Not(HasSubstr("pair_info")));
  recorder_.SetRoute(0, Route{{}, *IpAddress::Parse("192.0.2.1")}, true);
  EXPECT_THAT(RenderText(recorder_), HasSubstr("icmp_echo_pair_info{"));
  recorder_.SetRoute(0, std::nullopt, false);
  EXPECT_THAT(RenderText(recorder_), Not(HasSubstr("pair_info")));
}

TEST_F(ProbeRecorderTest, TellsOfNamesWhetherTheyAreResolved) {
  recorder_.AddPair({"g", "s", "name", {}});
  recorder_.AddPair({"g", "s", "192.0.2.1", {}});
  recorder_.Describe(0, {.has_name = true});
  recorder_.SetRoute(1, std::nullopt, true);
  const std::string labels = R"({group="g",source="s",destination="name"})";
  EXPECT_EQ(Samples().at("icmp_echo_resolved" + labels), 0);
  // As when the source is missing.
  recorder_.SetRoute(0, std::nullopt, true);
  EXPECT_EQ(Samples().at("icmp_echo_resolved" + labels), 1);
  EXPECT_THAT(RenderText(recorder_),
              Not(HasSubstr(R"(icmp_echo_resolved{group="g",source="s",)"
                            R"(destination="192.0.2.1")")));
}

TEST_F(ProbeRecorderTest, HasEveryReasonOfMissedTicksFromTheStart) {
  for (const char* reason : {"late", "max_in_flight", "unresolved"}) {
    EXPECT_EQ(Samples().at("echo_exporter_schedule_missed_total{reason=\"" +
                           std::string(reason) + "\"}"),
              0);
  }
  recorder_.RecordMissed(MissReason::kLate, 7);
  recorder_.RecordMissed(MissReason::kMaxInFlight, 2);
  const auto samples = Samples();
  EXPECT_EQ(samples.at(R"(echo_exporter_schedule_missed_total{reason="late"})"),
            7);
  EXPECT_EQ(samples.at("echo_exporter_schedule_missed_total"
                       R"({reason="max_in_flight"})"),
            2);
}

TEST_F(ProbeRecorderTest, KeepsTheTimeOfTheLastGoodConfiguration) {
  const std::string successful = "echo_exporter_config_last_reload_successful";
  const std::string timestamp =
      "echo_exporter_config_last_reload_success_timestamp_seconds";
  recorder_.RecordConfigLoad(true);
  clock_.wall_now += std::chrono::hours(1);
  recorder_.RecordConfigLoad(false);
  EXPECT_EQ(Samples().at(successful), 0);
  EXPECT_EQ(Samples().at(timestamp), 1.7e9);
  recorder_.RecordConfigLoad(true);
  EXPECT_EQ(Samples().at(successful), 1);
  EXPECT_EQ(Samples().at(timestamp), 1.7e9 + 3600);
}

TEST_F(ProbeRecorderTest, SaysNothingOfAWebConfigurationThatIsNotThere) {
  const std::string name = "echo_exporter_web_config_last_reload_successful";
  EXPECT_FALSE(Samples().contains(name));
  recorder_.RecordWebConfigLoad(true, {});
  EXPECT_EQ(Samples().at(name), 1);
  recorder_.RecordWebConfigLoad(false, {});
  EXPECT_EQ(Samples().at(name), 0);
}

TEST_F(ProbeRecorderTest, ObservesCompletionDelayOfRepliesOnly) {
  recorder_.AddPair({"g", "s", "d", {}});
  Finish(0, EchoOutcome::kReply);
  Finish(0, EchoOutcome::kTimeout);
  const auto samples = Samples();
  EXPECT_EQ(samples.at("echo_exporter_completion_delay_seconds_count"), 1);
  EXPECT_EQ(samples.at("echo_exporter_completion_delay_seconds_sum"), 0.25);
}

TEST_F(ProbeRecorderTest, CountsWhatConcernsTheExporterItself) {
  recorder_.RecordScheduleLag(milliseconds(500));
  recorder_.RecordScheduleLag(milliseconds(250));
  recorder_.RecordResolveFailure();
  recorder_.RecordHttpRequest("/probe", 200);
  recorder_.RecordHttpRequest("/probe", 400);
  recorder_.RecordHttpRequest("/probe", 200);
  const auto samples = Samples();
  EXPECT_EQ(samples.at("echo_exporter_schedule_lag_seconds_count"), 2);
  EXPECT_EQ(samples.at("echo_exporter_schedule_lag_seconds_sum"), 0.75);
  EXPECT_EQ(samples.at("echo_exporter_resolve_failures_total"), 1);
  const std::string requests = "echo_exporter_http_requests_total";
  EXPECT_EQ(samples.at(requests + R"({code="200",handler="/probe"})"), 2);
  EXPECT_EQ(samples.at(requests + R"({code="400",handler="/probe"})"), 1);
}

TEST_F(ProbeRecorderTest, HasTheFamiliesOfTheExporterFromTheStart) {
  const std::string text = RenderText(recorder_);
  for (const char* family : {
           "echo_exporter_build_info gauge",
           "echo_exporter_config_last_reload_successful gauge",
           "echo_exporter_config_last_reload_success_timestamp_seconds gauge",
           "echo_exporter_pairs gauge",
           "echo_exporter_schedule_lag_seconds histogram",
           "echo_exporter_schedule_missed_total counter",
           "echo_exporter_completion_delay_seconds histogram",
           "echo_exporter_resolve_failures_total counter",
           "echo_exporter_stale_lookups gauge",
           "process_cpu_seconds_total counter",
           "process_resident_memory_bytes gauge",
           "process_start_time_seconds gauge",
       }) {
    EXPECT_THAT(text, HasSubstr("# TYPE " + std::string(family) + "\n"));
  }
}

TEST_F(ProbeRecorderTest, RendersCompleteLinesWithoutPairs) {
  const std::string text = RenderText(recorder_);
  EXPECT_THAT(text, HasSubstr("\necho_exporter_pairs 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("icmp_echo_")));
  EXPECT_EQ(text.back(), '\n');
}

TEST_F(ProbeRecorderTest, ShowsWhatTheTransportTells) {
  const std::string nothing = RenderText(recorder_);
  EXPECT_THAT(nothing, Not(HasSubstr("echo_exporter_transport_info")));
  EXPECT_THAT(nothing, Not(HasSubstr("foreign_replies")));
  EchoTransportStats stats;
  stats.ipv4_mechanism = "raw_socket";
  stats.foreign_replies = 3;
  stats.receive_drops = 0;
  const auto samples = ParseSamples(RenderText(recorder_, stats));
  EXPECT_EQ(samples.at("echo_exporter_transport_info{ip_version=\"4\","
                       "mechanism=\"raw_socket\"}"),
            1);
  EXPECT_EQ(samples.at("echo_exporter_foreign_replies_total"), 3);
  EXPECT_EQ(samples.at("echo_exporter_receive_drops_total"), 0);
}

}  // namespace
}  // namespace echo_exporter
