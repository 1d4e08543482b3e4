#include "echo_exporter/probe_recorder.h"

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
using testing::HasSubstr;
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
    recorder_.RecordRequest(pair);
    recorder_.RecordResult(pair, result);
  }

  std::map<std::string, double> Samples() const {
    return ParseSamples(RenderText(recorder_));
  }

  FixedClock clock_;
  ProbeRecorder recorder_{{0.00005, 0.0001, 0.0002, 0.0004}, clock_};
};

TEST_F(ProbeRecorderTest, RendersPairsAsTheGoldenText) {
  recorder_.AddPair(0, {"lan", "auto", "192.0.2.1", {}});
  recorder_.AddPair(1, {"wan", "wan1", "dns.example.net", {{"site", "fra"}}});
  recorder_.AddPair(2, {"wan", "wan1", "2001:db8::1", {{"site", "fra"}}});
  recorder_.SetRoute(0, Route{{}, *IpAddress::Parse("192.0.2.1")});
  recorder_.SetRoute(1, Route{IpAddress::Parse("198.51.100.7"),
                              *IpAddress::Parse("203.0.113.5")});
  Finish(0, EchoOutcome::kReply, microseconds(100), std::uint8_t{64});
  Finish(0, EchoOutcome::kReply, Nanoseconds(237'400), std::uint8_t{64});
  Finish(1, EchoOutcome::kReply, milliseconds(12), std::uint8_t{57});
  Finish(1, EchoOutcome::kTimeout);
  Finish(1, EchoOutcome::kHostUnreachable);
  recorder_.RecordRequest(1);

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
  for (const auto& [series, value] : samples) {
    if (series.rfind(outcome_prefix, 0) == 0) outcomes += value;
  }
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
  recorder_.AddPair(0, {"g", "s", "0", {}});
  recorder_.AddPair(1, {"g", "s", "1", {}});
  const std::string labels[] = {R"(group="g",source="s",destination="0")",
                                R"(group="g",source="s",destination="1")"};
  std::atomic<std::uint64_t> requests = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, &requests](const std::stop_token& stop) {
      for (unsigned i = 0; !stop.stop_requested(); ++i) {
        const PairId pair = i % 2;
        recorder_.RecordRequest(pair);
        Finish(pair, EchoOutcome::kReply, microseconds(i % 1000));
        EchoResult result;
        result.outcome = static_cast<EchoOutcome>(i % kEchoOutcomeCount);
        recorder_.RecordResult(pair, result);
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
  recorder_.AddPair(0, {"g", "s", "0", {}});
  std::jthread other([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) Finish(0, EchoOutcome::kReply);
  });
  for (PairId pair = 1; pair < 1000; ++pair) {
    recorder_.AddPair(pair, {"g", "s", std::to_string(pair), {}});
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

TEST_F(ProbeRecorderTest, RendersPairsInTheOrderOfTheirNumbers) {
  for (const PairId pair : {PairId{130}, PairId{2}, PairId{65}, PairId{64}}) {
    recorder_.AddPair(pair, {"g", "s", std::to_string(pair), {}});
  }
  EXPECT_THAT(RenderText(recorder_),
              HasSubstr(R"(icmp_echo_up{group="g",source="s",destination="2"} 0
icmp_echo_up{group="g",source="s",destination="64"} 0
icmp_echo_up{group="g",source="s",destination="65"} 0
icmp_echo_up{group="g",source="s",destination="130"} 0
)"));
}

TEST_F(ProbeRecorderTest, HostileNamesCannotBreakTheFormat) {
  recorder_.AddPair(0, {"g", "s", "d", {{"x", "y"}}});
  const std::size_t tame = Samples().size();
  recorder_.AddPair(1, {"\"} 1\nup 0\n",
                        "\\",
                        "\xC3\"\n# TYPE up gauge\n\xFF",
                        {{"x", "\",evil=\"\\"}}});
  const std::string text = RenderText(recorder_);
  const std::string labels =
      R"({group="\"} 1\nup 0\n",source="\\",)"
      "destination=\"\xEF\xBF\xBD\\\"\\n# TYPE up gauge\\n\xEF\xBF\xBD\","
      R"(x="\",evil=\"\\"})";
  EXPECT_THAT(text, HasSubstr("\nicmp_echo_up" + labels + " 0\n"));
  // requests, two outcomes, in flight, five buckets, sum, count, up.
  EXPECT_EQ(ParseSamples(text).size(), tame + 12);
}

TEST_F(ProbeRecorderTest, ForgetsTheAddressesOfALostRoute) {
  recorder_.AddPair(0, {"g", "s", "d", {}});
  EXPECT_THAT(RenderText(recorder_), Not(HasSubstr("pair_info")));
  recorder_.SetRoute(0, Route{{}, *IpAddress::Parse("192.0.2.1")});
  EXPECT_THAT(RenderText(recorder_), HasSubstr("icmp_echo_pair_info{"));
  recorder_.SetRoute(0, std::nullopt);
  EXPECT_THAT(RenderText(recorder_), Not(HasSubstr("pair_info")));
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
  recorder_.RecordWebConfigLoad(true);
  EXPECT_EQ(Samples().at(name), 1);
  recorder_.RecordWebConfigLoad(false);
  EXPECT_EQ(Samples().at(name), 0);
}

TEST_F(ProbeRecorderTest, ObservesCompletionDelayOfRepliesOnly) {
  recorder_.AddPair(0, {"g", "s", "d", {}});
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
