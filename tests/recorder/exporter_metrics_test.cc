#include "src/recorder/exporter_metrics.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

#include "echo_exporter/family_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

std::string Render(const ExporterMetrics& metrics,
                   const EchoTransportStats& transport,
                   const ProcessStats& process) {
  std::string text;
  metrics.Write(transport, process,
                *CreateFamilyWriter(MetricsFormat::kText, &text));
  return text;
}

/// `text` without the one series that each build has its own labels of.
std::string WithoutBuild(std::string text) {
  const std::size_t begin = text.find("echo_exporter_build_info{");
  return text.erase(begin, text.find('\n', begin) + 1 - begin);
}

class ClockOf2023 final : public Clock {
 public:
  SteadyTime Now() const override { return {}; }
  WallTime WallNow() const override {
    return WallTime(std::chrono::seconds(1'700'000'000) + milliseconds(250));
  }
};

TEST(ExporterMetricsTest, WritesItsFamiliesAsTheGoldenText) {
  const ClockOf2023 clock;
  ExporterMetrics metrics({}, clock);
  for (int i = 0; i < 12; ++i) metrics.AddPair({});
  metrics.RemovePair({});
  for (int i = 0; i < 100; ++i) {
    metrics.RecordScheduleLag(microseconds(37 * i * i));
    metrics.RecordCompletionDelay(microseconds(11 * i));
  }
  metrics.RecordMissed(MissReason::kLate, 7);
  metrics.RecordMissed(MissReason::kUnresolved, 12'345'678'901'234'567);
  metrics.RecordResolveFailure();
  metrics.SetStaleLookups(2);
  for (const char* handler : {"/probe", "/metrics", "other"}) {
    for (const int status : {200, 503, 400, 200}) {
      metrics.RecordHttpRequest(handler, status);
    }
  }
  metrics.RecordConfigLoad(true);
  metrics.RecordConfigLoad(false);
  metrics.RecordWebConfigLoad(true,
                              WallTime(std::chrono::seconds(1'800'000'000)));
  EchoTransportStats transport;
  transport.ipv4_mechanism = "raw_socket";
  transport.ipv6_mechanism = "datagram_socket";
  transport.foreign_replies = 3;
  transport.receive_drops = 0;
  ProcessStats process;
  process.cpu_seconds = 12.34;
  process.resident_memory_bytes = 12'345'678;
  process.virtual_memory_bytes = 1'234'567'890'123;
  process.open_handles = 17;
  process.max_handles = 18'446'744'073'709'551'615U;
  process.start_time_seconds = 1'700'000'000.12;

  std::ifstream file("tests/recorder/testdata/golden-exporter.prom");
  ASSERT_TRUE(file) << "run the tests in the root of the source tree";
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(WithoutBuild(Render(metrics, transport, process)), golden.str());
}

TEST(ExporterMetricsTest, LeavesOutWhatNobodyKnows) {
  const std::string text = Render(ExporterMetrics({}, Clock::System()), {}, {});
  for (const char* family : {"process_", "transport_info", "foreign_replies",
                             "receive_drops", "web_config", "http_requests"}) {
    EXPECT_THAT(text, Not(HasSubstr(family)));
  }
}

}  // namespace
}  // namespace echo_exporter
