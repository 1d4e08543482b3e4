#include "src/probe/probe_report.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/recorder/samples.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

EchoResult Result(EchoOutcome outcome, Nanoseconds rtt,
                  std::optional<std::uint8_t> reply_ttl = std::nullopt) {
  EchoResult result;
  result.outcome = outcome;
  result.rtt = rtt;
  result.reply_ttl = reply_ttl;
  return result;
}

ProbeReport ReportOfReply() {
  ProbeReport report;
  report.success = true;
  report.duration = milliseconds(13);
  report.timeout = milliseconds(2000);
  report.resolve_time = microseconds(250);
  report.setup_time = microseconds(20);
  report.destination = IpAddress::Parse("192.0.2.1");
  report.echoes = {
      Result(EchoOutcome::kReply, Nanoseconds(12'345'678), std::uint8_t{57})};
  return report;
}

TEST(RenderProbeReportTest, SpeaksAsTheBlackboxExporterDoes) {
  EXPECT_EQ(
      RenderProbeReport(ReportOfReply()),
      R"(# HELP probe_dns_lookup_time_seconds Returns the time taken for probe dns lookup in seconds
# TYPE probe_dns_lookup_time_seconds gauge
probe_dns_lookup_time_seconds 0.00025
# HELP probe_duration_seconds Returns how long the probe took to complete in seconds
# TYPE probe_duration_seconds gauge
probe_duration_seconds 0.013
# HELP probe_icmp_duration_seconds Duration of icmp request by phase
# TYPE probe_icmp_duration_seconds gauge
probe_icmp_duration_seconds{phase="resolve"} 0.00025
probe_icmp_duration_seconds{phase="rtt"} 0.012345678
probe_icmp_duration_seconds{phase="setup"} 2e-05
# HELP probe_icmp_outcome Echo requests of this probe by outcome
# TYPE probe_icmp_outcome gauge
probe_icmp_outcome{outcome="reply"} 1
# HELP probe_icmp_reply_hop_limit Replied packet hop limit (TTL for ipv4)
# TYPE probe_icmp_reply_hop_limit gauge
probe_icmp_reply_hop_limit 57
# HELP probe_ip_addr_hash Specifies the hash of IP address. It's useful to detect if the IP address changes.
# TYPE probe_ip_addr_hash gauge
probe_ip_addr_hash 1969986452
# HELP probe_ip_protocol Specifies whether probe ip protocol is IP4 or IP6
# TYPE probe_ip_protocol gauge
probe_ip_protocol 4
# HELP probe_success Displays whether or not the probe was a success
# TYPE probe_success gauge
probe_success 1
# HELP probe_timeout_seconds Returns how long the probe timeout is in seconds
# TYPE probe_timeout_seconds gauge
probe_timeout_seconds 2
)");
}

TEST(RenderProbeReportTest, HasNoRttAndNoTtlWithoutReply) {
  ProbeReport report = ReportOfReply();
  report.success = false;
  report.echoes = {
      Result(EchoOutcome::kTtlExpired, milliseconds(3), std::uint8_t{250})};
  const std::string text = RenderProbeReport(report);
  EXPECT_THAT(text, Not(HasSubstr("phase=\"rtt\"")));
  EXPECT_THAT(text, Not(HasSubstr("hop_limit")));
  EXPECT_THAT(text, HasSubstr("\nprobe_success 0\n"));
  EXPECT_THAT(text,
              HasSubstr("\nprobe_icmp_outcome{outcome=\"ttl_expired\"} 1\n"));
}

TEST(RenderProbeReportTest, LeavesOutPhasesThatWereNotReached) {
  ProbeReport report;
  report.duration = milliseconds(5);
  report.timeout = milliseconds(2000);
  const auto samples = ParseSamples(RenderProbeReport(report));
  EXPECT_THAT(samples, testing::UnorderedElementsAre(
                           testing::Pair("probe_duration_seconds", 0.005),
                           testing::Pair("probe_success", 0),
                           testing::Pair("probe_timeout_seconds", 2)));

  report.resolve_time = milliseconds(4);
  EXPECT_THAT(RenderProbeReport(report),
              HasSubstr("# TYPE probe_icmp_duration_seconds gauge\n"
                        "probe_icmp_duration_seconds{phase=\"resolve\"} 0.004\n"
                        "# HELP probe_success "));
}

TEST(RenderProbeReportTest, SummarizesSeveralEchoes) {
  ProbeReport report = ReportOfReply();
  report.count = 5;
  report.echoes = {
      Result(EchoOutcome::kReply, milliseconds(10), std::uint8_t{57}),
      Result(EchoOutcome::kTimeout, milliseconds(1000)),
      Result(EchoOutcome::kReply, milliseconds(40), std::uint8_t{56}),
      Result(EchoOutcome::kReply, milliseconds(13), std::uint8_t{56})};
  const auto samples = ParseSamples(RenderProbeReport(report));
  EXPECT_EQ(samples.at("probe_icmp_packets_sent"), 4);
  EXPECT_EQ(samples.at("probe_icmp_packets_received"), 3);
  EXPECT_DOUBLE_EQ(samples.at("probe_icmp_rtt_min_seconds"), 0.010);
  EXPECT_DOUBLE_EQ(samples.at("probe_icmp_rtt_mean_seconds"), 0.021);
  EXPECT_DOUBLE_EQ(samples.at("probe_icmp_rtt_max_seconds"), 0.040);
  EXPECT_DOUBLE_EQ(samples.at("probe_icmp_duration_seconds{phase=\"rtt\"}"),
                   0.021);
  EXPECT_EQ(samples.at("probe_icmp_reply_hop_limit"), 56);
  EXPECT_EQ(samples.at("probe_icmp_outcome{outcome=\"reply\"}"), 3);
  EXPECT_EQ(samples.at("probe_icmp_outcome{outcome=\"timeout\"}"), 1);
}

TEST(RenderProbeReportTest, HasNoRttOfSeveralEchoesWithoutReply) {
  ProbeReport report = ReportOfReply();
  report.success = false;
  report.count = 2;
  report.echoes = {Result(EchoOutcome::kTimeout, milliseconds(1000)),
                   Result(EchoOutcome::kTimeout, milliseconds(1000))};
  const std::string text = RenderProbeReport(report);
  EXPECT_THAT(text, HasSubstr("\nprobe_icmp_packets_sent 2\n"));
  EXPECT_THAT(text, HasSubstr("\nprobe_icmp_packets_received 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("rtt")));
}

TEST(RenderProbeReportTest, CountsPacketsOnlyWhenSeveralWereAskedFor) {
  EXPECT_THAT(RenderProbeReport(ReportOfReply()), Not(HasSubstr("packets")));
}

TEST(RenderProbeReportTest, NamesTheIpVersionAndHashesTheAddress) {
  ProbeReport report = ReportOfReply();
  report.destination = IpAddress::Parse("2001:db8::1");
  const auto samples = ParseSamples(RenderProbeReport(report));
  EXPECT_EQ(samples.at("probe_ip_protocol"), 6);
  EXPECT_EQ(samples.at("probe_ip_addr_hash"), 1851458804);
}

TEST(RenderProbeJsonTest, TellsWhatBecameOfTheEcho) {
  ProbeReport report = ReportOfReply();
  report.echoes[0].responder = IpAddress::Parse("192.0.2.1");
  EXPECT_EQ(RenderProbeJson(report, WallTime()),
            R"({"time":"1970-01-01T00:00:00.000Z","outcome":"reply",)"
            R"("rtt_seconds":0.01235,"responder":"192.0.2.1","ttl":57})");
  report.echoes = {Result(EchoOutcome::kTimeout, milliseconds(1000))};
  EXPECT_THAT(RenderProbeJson(report, WallTime()),
              HasSubstr(R"("outcome":"timeout","rtt_seconds":null,)"));
  report.echoes.clear();
  report.log = {"looking up \"x\": no such name"};
  EXPECT_EQ(RenderProbeJson(report, WallTime()),
            R"({"time":"1970-01-01T00:00:00.000Z","outcome":null,)"
            R"("rtt_seconds":null,"responder":null,"ttl":null,)"
            R"("error":"looking up \"x\": no such name"})");
}

}  // namespace
}  // namespace echo_exporter
