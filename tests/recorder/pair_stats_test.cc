#include "src/recorder/pair_stats.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PairStatsTest : public testing::Test {
 protected:
  void Finish(EchoOutcome outcome, Nanoseconds rtt = milliseconds(1),
              std::optional<std::uint8_t> reply_ttl = std::nullopt) {
    EchoResult result;
    result.outcome = outcome;
    result.rtt = rtt;
    result.reply_ttl = reply_ttl;
    stats_.Prepare(shapes_);
    stats_.RecordRequest();
    stats_.RecordResult(result, shapes_, clock_);
    stats_.RecordInSendOrder({{}, 3, outcome}, shapes_, clock_);
  }
  void Reply(Nanoseconds rtt) { Finish(EchoOutcome::kReply, rtt); }

  struct FixedClock : public Clock {
    SteadyTime Now() const override { return {}; }
    WallTime WallNow() const override { return wall_now; }

    WallTime wall_now{seconds(1'700'000'000)};
  };

  FixedClock clock_;
  const PairShapes shapes_{{.rtt_buckets = {0.0001, 0.001, 0.01}}};
  PairStats stats_{shapes_};
};

TEST_F(PairStatsTest, StartsAtZero) {
  EXPECT_EQ(stats_.requests(), 0U);
  EXPECT_EQ(stats_.in_flight(), 0U);
  EXPECT_EQ(stats_.outcomes(EchoOutcome::kReply), 0U);
  EXPECT_FALSE(stats_.up());
  EXPECT_FALSE(stats_.last_rtt());
  EXPECT_FALSE(stats_.jitter());
  EXPECT_FALSE(stats_.reply_ttl());
}

TEST_F(PairStatsTest, CountsARequestAsInFlightUntilItsResult) {
  stats_.RecordRequest();
  stats_.RecordRequest();
  EXPECT_EQ(stats_.requests(), 2U);
  EXPECT_EQ(stats_.in_flight(), 2U);

  EchoResult result;
  result.outcome = EchoOutcome::kTimeout;
  stats_.RecordResult(result, shapes_, clock_);
  EXPECT_EQ(stats_.requests(), 2U);
  EXPECT_EQ(stats_.in_flight(), 1U);
  EXPECT_EQ(stats_.outcomes(EchoOutcome::kTimeout), 1U);
}

TEST_F(PairStatsTest, CountsEveryOutcomeUnderItsOwnName) {
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    for (std::size_t n = 0; n <= i; ++n) Finish(static_cast<EchoOutcome>(i));
  }
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    EXPECT_EQ(stats_.outcomes(static_cast<EchoOutcome>(i)), i + 1);
  }
}

TEST_F(PairStatsTest, ObservesRepliesOnly) {
  Reply(microseconds(100));
  Reply(microseconds(101));
  Reply(seconds(3));
  Finish(EchoOutcome::kTimeout, seconds(1));
  Finish(EchoOutcome::kTtlExpired, microseconds(50));
  EXPECT_EQ(stats_.rtt().counts(), (std::vector<std::uint64_t>{1, 1, 0, 1}));
  EXPECT_EQ(stats_.rtt().sum(), 3'000'201'000U);
}

TEST_F(PairStatsTest, LosesNoNanosecondOfALargeSum) {
  // A year of RTTs: a double would have steps of four nanoseconds there.
  for (int hour = 0; hour < 365 * 24; ++hour) Reply(seconds(3600));
  Reply(Nanoseconds(1));
  EXPECT_EQ(stats_.rtt().sum(), 31'536'000'000'000'001U);
}

TEST_F(PairStatsTest, HasLastRttOnlyWhileTheLastOutcomeIsAReply) {
  Reply(microseconds(250));
  EXPECT_TRUE(stats_.up());
  EXPECT_EQ(stats_.last_rtt(), microseconds(250));

  Finish(EchoOutcome::kHostUnreachable);
  EXPECT_FALSE(stats_.up());
  EXPECT_FALSE(stats_.last_rtt());

  Reply(microseconds(300));
  EXPECT_TRUE(stats_.up());
  EXPECT_EQ(stats_.last_rtt(), microseconds(300));
}

TEST_F(PairStatsTest, OutcomesOfThisHostLeaveItUpOrDown) {
  Finish(EchoOutcome::kSuspended);
  EXPECT_FALSE(stats_.up());
  Reply(microseconds(250));
  Finish(EchoOutcome::kSuspended);
  Finish(EchoOutcome::kNoResources);
  EXPECT_TRUE(stats_.up());
  EXPECT_EQ(stats_.last_rtt(), microseconds(250));
  Finish(EchoOutcome::kTimeout);
  Finish(EchoOutcome::kNoResources);
  EXPECT_FALSE(stats_.up());
}

TEST_F(PairStatsTest, CountsLossesSinceTheLastReply) {
  Finish(EchoOutcome::kTimeout);
  Finish(EchoOutcome::kProhibited);
  Finish(EchoOutcome::kNoResources);
  Finish(EchoOutcome::kTimeout);
  EXPECT_EQ(stats_.losses(), 3U);
  Reply(microseconds(250));
  EXPECT_EQ(stats_.losses(), 0U);
}

TEST_F(PairStatsTest, KnowsWhenItChangedBetweenUpAndDown) {
  Finish(EchoOutcome::kTimeout);
  EXPECT_EQ(stats_.up_changed(), std::nullopt);
  Reply(milliseconds(1));
  EXPECT_EQ(stats_.up_changed(), seconds(1'700'000'000));
  clock_.wall_now += milliseconds(1500);
  Reply(milliseconds(1));
  Finish(EchoOutcome::kSuspended);
  EXPECT_EQ(stats_.up_changed(), seconds(1'700'000'000));
  Finish(EchoOutcome::kTimeout);
  EXPECT_EQ(stats_.up_changed(), milliseconds(1'700'000'001'500));
  clock_.wall_now += seconds(1);
  Finish(EchoOutcome::kProhibited);
  EXPECT_EQ(stats_.up_changed(), milliseconds(1'700'000'001'500));
}

// A timeout that is known after the reply to the next request.
TEST_F(PairStatsTest, CountsALossWhoseTurnHasNotComeAsConsecutive) {
  Finish(EchoOutcome::kTimeout);
  Reply(milliseconds(1));
  stats_.RecordRequest();
  stats_.Prepare(shapes_);
  stats_.RecordRequest();
  EchoResult result;
  result.outcome = EchoOutcome::kHostUnreachable;
  stats_.RecordResult(result, shapes_, clock_);
  EXPECT_EQ(stats_.consecutive_failures(), 1U);
  EXPECT_TRUE(stats_.up());
  result.outcome = EchoOutcome::kReply;
  stats_.RecordResult(result, shapes_, clock_);
  EXPECT_EQ(stats_.consecutive_failures(), 1U);
  stats_.RecordInSendOrder({{}, 3, EchoOutcome::kReply}, shapes_, clock_);
  EXPECT_TRUE(stats_.up());
  stats_.RecordInSendOrder({{}, 3, EchoOutcome::kHostUnreachable}, shapes_,
                           clock_);
  EXPECT_FALSE(stats_.up());
  EXPECT_EQ(stats_.consecutive_failures(), 1U);
  EXPECT_EQ(stats_.run_lengths()->sum(), 1U);
}

TEST_F(PairStatsTest, NeedsNoMemoryForRunsUnlessSomethingIsLost) {
  for (int i = 0; i < 3; ++i) Finish(EchoOutcome::kReply);
  Finish(EchoOutcome::kNoResources);
  Finish(EchoOutcome::kReply);
  EXPECT_EQ(stats_.run_lengths(), nullptr);
  Finish(EchoOutcome::kTimeout);
  EXPECT_EQ(stats_.run_lengths(), nullptr);
  Finish(EchoOutcome::kReply);
  ASSERT_NE(stats_.run_lengths(), nullptr);
  EXPECT_EQ(stats_.run_lengths()->sum(), 1U);
}

TEST_F(PairStatsTest, SmoothsJitterAsRfc3550Says) {
  Reply(microseconds(1000));
  EXPECT_FALSE(stats_.jitter());
  Reply(microseconds(1160));
  EXPECT_EQ(stats_.jitter(), microseconds(10));  // 160 / 16
  Reply(microseconds(1000));
  EXPECT_EQ(stats_.jitter(), Nanoseconds(19'375));  // 10 + (160 - 10) / 16
  Reply(microseconds(1000));
  EXPECT_EQ(stats_.jitter(), Nanoseconds(18'164));  // 19.375 * 15 / 16
}

TEST_F(PairStatsTest, TakesJitterAcrossLostRequests) {
  Reply(microseconds(1000));
  Finish(EchoOutcome::kTimeout, seconds(1));
  EXPECT_FALSE(stats_.jitter());
  Reply(microseconds(1032));
  EXPECT_EQ(stats_.jitter(), microseconds(2));
  Finish(EchoOutcome::kTimeout, seconds(1));
  EXPECT_EQ(stats_.jitter(), microseconds(2));
}

TEST_F(PairStatsTest, KeepsTheTtlOfTheLastReply) {
  Finish(EchoOutcome::kReply, milliseconds(1), std::uint8_t{57});
  EXPECT_EQ(stats_.reply_ttl(), 57);
  Finish(EchoOutcome::kTtlExpired, milliseconds(1), std::uint8_t{250});
  EXPECT_EQ(stats_.reply_ttl(), 57);
  // As when a name has moved to an IPv6 address.
  Finish(EchoOutcome::kReply, milliseconds(1));
  EXPECT_FALSE(stats_.reply_ttl());
}

}  // namespace
}  // namespace echo_exporter
