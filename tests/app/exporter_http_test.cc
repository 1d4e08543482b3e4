#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "echo_exporter/exporter.h"
#include "tests/app/exporter_fixture.h"
#include "tests/support/raw_http_client.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

class ExporterHttpTest : public ExporterFixture {};

TEST_F(ExporterHttpTest, CountsLookupsThatFail) {
  Start(R"(
[[group]]
name = "g"
sources = ["auto"]
destinations = ["nowhere.example.net"]
)");
  WaitForSample("echo_exporter_resolve_failures_total", 1);
}

TEST_F(ExporterHttpTest, IsReadyOnceStartedAndNotWhileStopping) {
  network_.Hold();
  network_.LimitDrain(hours(1));
  Start(kOnePair);
  network_.WaitForSent(1);
  EXPECT_EQ(Get("/-/ready")->status, 200);
  EXPECT_EQ(Get("/-/healthy")->status, 200);

  std::atomic<bool> stopped = false;
  std::thread stopper([&] {
    exporter_->Stop();
    stopped = true;
  });
  network_.WaitForDrain();
  const auto ready = Get("/-/ready");
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->status, 503);
  EXPECT_THAT(ready->body, HasSubstr("stopping"));
  EXPECT_EQ(Get("/-/healthy")->status, 200);
  EXPECT_EQ(Value(Scrape(), Pair("in_flight", "192.0.2.1")), 1);
  EXPECT_FALSE(stopped);
  network_.AnswerHeld(ReplyAfter(milliseconds(1)));
  stopper.join();
  EXPECT_EQ(network_.in_flight(), 0U);
  EXPECT_FALSE(Get("/metrics"));  // nobody serves any more
}

// A lookup that hangs keeps a probe at work for longer than the server waits
// when it stops.
TEST_F(ExporterHttpTest, DestroysCleanlyWhileAProbeIsUnderWay) {
  http_limits_.stop_timeout = milliseconds(1);
  lookup_.Block("slow.example.net");
  Start("[modules.icmp]\ntimeout = \"60s\"\n");
  std::thread client([&] {
    // Until the server's patience is over: it cuts the connection then.
    EXPECT_FALSE(Get("/probe?target=slow.example.net"));
    EXPECT_TRUE(network_.has_transport());
    lookup_.Release("slow.example.net");
  });
  lookup_.WaitForCalls("slow.example.net", 1);
  exporter_.reset();
  client.join();
  EXPECT_FALSE(network_.has_transport());
}

TEST_F(ExporterHttpTest, FailsWhenAListenAddressIsTaken) {
  Start(kOnePair);
  const std::string taken =
      exporter_->Urls().at(0).substr(std::string("http://").size());
  FakeEchoNetwork other;
  const auto exporter = Create(kOnePair, other, taken);
  ASSERT_FALSE(exporter.ok());
  EXPECT_THAT(exporter.error().message, HasSubstr(taken));
}

TEST_F(ExporterHttpTest, AnswersProbesWithoutTouchingThePairs) {
  Start(kOnePair);
  network_.WaitForSent(1);
  for (int i = 0; i < 3; ++i) {
    const auto answer = Get("/probe?target=192.0.2.1&module=icmp&source=auto");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(Value(ParseSamples(answer->body), "probe_success"), 1);
  }
  EXPECT_THAT(network_.SentTo(Address("192.0.2.1")), SizeIs(4));
  const Samples samples = Scrape();
  EXPECT_EQ(Value(samples, Pair("requests_total", "192.0.2.1")), 1);
  EXPECT_EQ(Value(samples, Outcome("192.0.2.1", "reply")), 1);
  EXPECT_EQ(Value(samples, Pair("in_flight", "192.0.2.1")), 0);
}

TEST_F(ExporterHttpTest, ServesScrapesBesideAsManyProbesAsThereMayBe) {
  network_.Hold();
  Start("[probe]\nmax_concurrent = 448\n[modules.icmp]\ntimeout = \"60s\"\n");
  const std::string url = exporter_->Urls().at(0);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (std::uint32_t i = 0; i < kMostConcurrentProbes; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(
        std::stoi(url.substr(url.rfind(':') + 1))));
    ASSERT_TRUE(clients.back()->Send(
        "GET /probe?target=192.0.2.1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    network_.WaitForSent(i + 1);
  }
  const auto refused = Get("/probe?target=192.0.2.1");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  Scrape();
  network_.AnswerHeld(ReplyAfter(milliseconds(1)));
  for (const auto& client : clients) {
    EXPECT_THAT(client->ReadUntil("\nprobe_success 1\n"),
                HasSubstr("\nprobe_success 1\n"));
  }
}

TEST_F(ExporterHttpTest, AnswersProbesAsTheQueryAndTheHeaderSay) {
  Start("[probe]\nallowed_targets = [\"10.0.0.0/8\"]\n");
  EXPECT_EQ(Get("/probe")->status, 400);
  EXPECT_EQ(Get("/probe?target=10.0.0.1&module=nope")->status, 400);
  EXPECT_EQ(Get("/probe?target=10.0.0.1&count=0")->status, 400);
  EXPECT_EQ(Get("/probe?target=192.0.2.1")->status, 403);
  const auto answer = Get("/probe?target=10.0.0.1",
                          {{"X-Prometheus-Scrape-Timeout-Seconds", "1.5"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(Value(ParseSamples(answer->body), "probe_timeout_seconds"), 1);
}

TEST_F(ExporterHttpTest, CountsHttpRequestsByHandlerAndCode) {
  Start(kOnePair);
  Get("/probe");
  Get("/nothing/here");
  WaitForSample(
      "echo_exporter_http_requests_total{code=\"400\",handler=\"/probe\"}", 1);
  WaitForSample(
      "echo_exporter_http_requests_total{code=\"404\",handler=\"other\"}", 1);
}

TEST_F(ExporterHttpTest, ShowsItsConfigurationAndItsPairs) {
  Start(kOnePair);
  const ConfigOutcome shown = ParseConfig(Get("/config")->body, "shown.toml");
  ASSERT_TRUE(shown.config) << testing::PrintToString(shown.errors);
  EXPECT_EQ(shown.config->groups.at(0).interval, hours(1));
  EXPECT_EQ(shown.config->pairs.size(), 1U);
  EXPECT_THAT(Get("/")->body, AllOf(HasSubstr("\"metrics\""),
                                    HasSubstr("Showing 1 of 1 pairs.")));
  EXPECT_EQ(Value(Scrape(), "echo_exporter_config_last_reload_successful"), 1);
}

}  // namespace
}  // namespace echo_exporter
