#include "echo_exporter/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/app/exporter_fixture.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ExporterTest : public ExporterFixture {};

TEST_F(ExporterTest, ProbesEveryPair) {
  Start(R"(
[defaults]
interval = "50ms"
[sources]
wan1 = "198.51.100.7"
[[group]]
name = "g"
sources = ["auto", "wan1", "198.51.100.8"]
destinations = ["192.0.2.1", "10.0.0.0/29"]
[[group]]
name = "six"
sources = ["auto"]
destinations = ["2001:db8::1"]
)");
  std::vector<IpAddress> destinations = {Address("192.0.2.1")};
  for (int i = 1; i <= 6; ++i) {
    destinations.push_back(Address("10.0.0." + std::to_string(i)));
  }
  for (const IpAddress& destination : destinations) {
    // Each of the three sources at least once, however the threads run.
    for (const auto& source :
         {std::optional<IpAddress>(), std::optional(Address("198.51.100.7")),
          std::optional(Address("198.51.100.8"))}) {
      const auto is_from_source = [&](const FakeEchoNetwork::Sent& sent) {
        return sent.request.source == source;
      };
      for (std::size_t count = 1;
           std::ranges::none_of(network_.SentTo(destination), is_from_source);
           ++count) {
        network_.WaitForSentTo(destination, count);
      }
    }
  }
  network_.WaitForSentTo(Address("2001:db8::1"), 2);
  EXPECT_EQ(Value(Scrape(), "echo_exporter_pairs"), 22);
}

TEST_F(ExporterTest, AccountsForEveryRequestAtEveryScrape) {
  network_.Answer({.when = FakeAnswer::When::kSoon});
  network_.HoldFrom(Address("10.0.0.1"));
  network_.AnswerFrom(Address("10.0.0.2"),
                      {.result = EndAs(EchoOutcome::kTtlExpired)});
  network_.AnswerFrom(Address("10.0.0.3"), {});
  Start(R"(
[[group]]
name = "g"
sources = ["auto", "198.51.100.7"]
destinations = ["10.0.0.0/28"]
interval = "10ms"
labels = { site = "fra" }
)");
  std::atomic<bool> done = false;
  std::thread answerer([&] {
    while (!done) {
      network_.AnswerHeld(EndAs(EchoOutcome::kTimeout));
      std::this_thread::yield();
    }
  });
  double requests = 0;
  for (int scrapes = 0; scrapes < 20 || requests < 500; ++scrapes) {
    requests = CheckAccounts(Scrape());
  }
  done = true;
  answerer.join();
}

TEST_F(ExporterTest, HasCountedEveryRequestThatWasSent) {
  network_.Hold();
  Start(kFastPair);
  network_.WaitForSent(5);
  std::thread stopper([this] {
    network_.LimitDrain(hours(1));
    exporter_->Stop();
  });
  network_.WaitForDrain();
  const Samples samples = Scrape();
  const auto sent = static_cast<double>(network_.sent().size());
  EXPECT_EQ(Value(samples, Pair("requests_total", "192.0.2.1")), sent);
  EXPECT_EQ(Value(samples, Pair("in_flight", "192.0.2.1")), sent);
  EXPECT_EQ(Value(samples, Outcome("192.0.2.1", "reply")), 0);
  EXPECT_EQ(Value(samples, Outcome("192.0.2.1", "timeout")), 0);
  network_.AnswerHeld(ReplyAfter(milliseconds(1)));
  stopper.join();
}

TEST_F(ExporterTest, MissesTicksAtMaxInFlight) {
  network_.Hold();
  Start(std::string("[engine]\nmax_in_flight = 1\n") + kFastPair);
  WaitForSample("echo_exporter_schedule_missed_total{reason=\"max_in_flight\"}",
                3);
  EXPECT_THAT(network_.sent(), SizeIs(1));
  EXPECT_EQ(Value(Scrape(), Pair("requests_total", "192.0.2.1")), 1);
  EXPECT_EQ(Value(Scrape(), Outcome("192.0.2.1", "no_resources")),
            std::nullopt);
}

TEST_F(ExporterTest, StartsWithoutAddressesAndProbesANameOnceItResolves) {
  lookup_.Block("late.example.net");
  Start(R"(
[[group]]
name = "g"
sources = ["auto"]
destinations = ["late.example.net"]
interval = "10ms"
)");
  WaitForSample("echo_exporter_schedule_missed_total{reason=\"unresolved\"}",
                2);
  EXPECT_EQ(Get("/-/ready")->status, 200);
  EXPECT_EQ(Value(Scrape(), Pair("requests_total", "late.example.net")), 0);
  EXPECT_EQ(Value(Scrape(), Pair("up", "late.example.net")), std::nullopt);
  EXPECT_EQ(Value(Scrape(), Pair("resolved", "late.example.net")), 0);

  lookup_.Set("late.example.net", {Address("192.0.2.9")});
  lookup_.Release("late.example.net");
  network_.WaitForSentTo(Address("192.0.2.9"), 2);
  WaitForSample(Outcome("late.example.net", "reply"), 1);
  EXPECT_THAT(Get("/metrics")->body,
              HasSubstr("destination_address=\"192.0.2.9\""));
}

TEST_F(ExporterTest, EndsProbesFromAnAdapterWithoutAddressAsBadSource) {
  Start(R"(
[sources]
auto2 = { interface = "Ethernet 2" }
[[group]]
name = "g"
sources = ["auto2"]
destinations = ["192.0.2.1"]
interval = "10ms"
)");
  WaitForSample(
      "icmp_echo_outcomes_total{group=\"g\",source=\"auto2\","
      "destination=\"192.0.2.1\",outcome=\"bad_source\"}",
      2);
  EXPECT_THAT(network_.sent(), IsEmpty());
  CheckAccounts(Scrape());
}

TEST_F(ExporterTest, ProbesHaveTheRateLimitOfTheConfiguration) {
  Start("[probe]\nrequests_per_second = 0.001\nburst = 1\n");
  EXPECT_EQ(Get("/probe?target=192.0.2.9")->status, 200);
  EXPECT_EQ(Get("/probe?target=192.0.2.9")->status, 429);
}

TEST_F(ExporterTest, StopsMoreThanOnce) {
  Start(kFastPair);
  network_.WaitForSent(1);
  exporter_->Stop();
  const std::size_t sent = network_.sent().size();
  exporter_->Stop();
  exporter_.reset();
  EXPECT_EQ(network_.sent().size(), sent);
  EXPECT_THAT(network_.drain_limits(), SizeIs(1));
}

TEST_F(ExporterTest, DestroysCleanlyWithProbesInFlight) {
  network_.Hold();
  Start(kFastPair);
  network_.WaitForSent(3);
  exporter_.reset();
  EXPECT_EQ(network_.in_flight(), 0U);
}

TEST_F(ExporterTest, DestroysCleanlyWithoutAStart) {
  auto exporter = Create(kOnePair, network_);
  ASSERT_TRUE(exporter.ok());
  exporter.value().reset();
  EXPECT_THAT(network_.sent(), IsEmpty());
}

TEST_F(ExporterTest, NeedsRawSocketsWhenItsTransportDoes) {
  const std::string config = R"(
[[group]]
name = "g"
sources = ["auto"]
destinations = ["192.0.2.1"]
)";
  Start(config);
  EXPECT_FALSE(exporter_->NeedsRawSockets());
  exporter_.reset();
  network_.NeedRawSockets();
  Start(config);
  EXPECT_TRUE(exporter_->NeedsRawSockets());
}

TEST_F(ExporterTest, FailsWhenNothingCanBeSent) {
  network_.FailToOpen({ErrorCode::kNotAllowed, "opening ICMP: refused (5)"});
  const auto exporter = Create(kOnePair, network_);
  ASSERT_FALSE(exporter.ok());
  EXPECT_EQ(exporter.error().message, "opening ICMP: refused (5)");
}

}  // namespace
}  // namespace echo_exporter
