#include "src/engine/result_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/outcome_log.h"
#include "tests/support/fake_echo_transport.h"
#include "tests/support/result_log.h"
#include "tests/web/pair_views.h"

namespace echo_exporter {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

EchoResult WithTag(std::uint64_t tag, EchoResult result) {
  result.tag = tag;
  return result;
}

class ResultRouterTest : public testing::Test {
 protected:
  PairId AddPair(const std::string& destination) {
    return recorder_.AddPair({"g", "s", destination, {}});
  }

  /// Of a request that is recorded now.
  std::uint64_t TagOfRequest(PairId pair) {
    return ResultRouter::TagOf(recorder_.RecordRequest(pair, {}, 3).id);
  }

  std::uint64_t ExpectInto(ResultLog& log) {
    return router_.Expect(
        [&log](const EchoResult& result) { log.Add(result); });
  }

  PairStatistics StatisticsOf(PairId pair) const {
    for (const PairStatus& status : recorder_.Snapshot()) {
      if (status.id == pair) return status.statistics;
    }
    ADD_FAILURE() << "no pair " << pair;
    return {};
  }

  OutcomeLog outcomes_;
  ProbeRecorder recorder_{
      {.rtt_buckets = {0.01, 0.1}}, Clock::System(), true, false, {&outcomes_}};
  FakePairHistory history_;
  ResultRouter router_{recorder_, &history_};
};

TEST_F(ResultRouterTest, GivesResultsOfPairsToTheRecorderAndTheHistory) {
  const PairId first = AddPair("a");
  const PairId second = AddPair("b");
  ResultLog log;
  ExpectInto(log);
  const std::uint64_t first_tag = TagOfRequest(first);
  const std::uint64_t second_tag = TagOfRequest(second);
  router_.OnResult(WithTag(first_tag, ReplyAfter(milliseconds(1))));
  router_.OnResult(WithTag(second_tag, EndAs(EchoOutcome::kTimeout)));
  EXPECT_THAT(history_.results, ElementsAre(first, second));
  EXPECT_TRUE(StatisticsOf(first).up);
  EXPECT_FALSE(StatisticsOf(second).up);
  EXPECT_EQ(StatisticsOf(second).in_flight, 0U);
  EXPECT_THAT(outcomes_.lines(), ElementsAre("a none reply", "b none timeout"));
  EXPECT_EQ(log.size(), 0U);
}

TEST_F(ResultRouterTest, TellsTheRequestsOfAPairApart) {
  const PairId pair = AddPair("a");
  const std::uint64_t first = TagOfRequest(pair);
  const std::uint64_t second = TagOfRequest(pair);
  router_.OnResult(WithTag(second, ReplyAfter(milliseconds(1))));
  EXPECT_THAT(outcomes_.lines(), IsEmpty());
  router_.OnResult(WithTag(first, EndAs(EchoOutcome::kTimeout)));
  EXPECT_THAT(outcomes_.lines(),
              ElementsAre("a none timeout", "a timeout reply"));
}

TEST_F(ResultRouterTest, ATagHasRoomForEveryRequestOfAPair) {
  const std::uint64_t tag =
      ResultRouter::TagOf({.pair = 0xffffffff, .number = kRequestNumbers - 1});
  ResultLog log;
  EXPECT_NE(tag, ExpectInto(log));
  EXPECT_EQ(tag, 0x7fffffffffffffffU);
}

TEST_F(ResultRouterTest, GivesOtherResultsOnceToWhoExpectsThem) {
  ResultLog first;
  ResultLog second;
  const std::uint64_t first_tag = ExpectInto(first);
  const std::uint64_t second_tag = ExpectInto(second);
  router_.OnResult(WithTag(second_tag, ReplyAfter(milliseconds(2))));
  router_.OnResult(WithTag(first_tag, ReplyAfter(milliseconds(1))));
  router_.OnResult(WithTag(first_tag, ReplyAfter(milliseconds(3))));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first.results()[0].rtt, milliseconds(1));
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second.results()[0].rtt, milliseconds(2));
  EXPECT_THAT(outcomes_.lines(), IsEmpty());
}

TEST_F(ResultRouterTest, GivesUpWhatIsExpectedAndIgnoresWhatComesLater) {
  ResultLog log;
  const std::uint64_t tag = ExpectInto(log);
  router_.GiveUp();
  router_.OnResult(WithTag(tag, ReplyAfter(milliseconds(1))));
  router_.GiveUp();
  ASSERT_EQ(log.size(), 1U);
  EXPECT_EQ(log.results()[0].outcome, EchoOutcome::kGeneralFailure);
}

TEST_F(ResultRouterTest, ACompletionMayExpectTheNext) {
  ResultLog log;
  const std::uint64_t tag = router_.Expect([&](const EchoResult&) {
    router_.OnResult(WithTag(ExpectInto(log), {}));
  });
  router_.OnResult(WithTag(tag, {}));
  EXPECT_EQ(log.size(), 1U);
}

TEST_F(ResultRouterTest, CompletesEachOnceWhileResultsRaceWithGivingUp) {
  constexpr int kCount = 2000;
  std::vector<ResultLog> logs(kCount);
  std::vector<std::uint64_t> tags;
  for (ResultLog& log : logs) tags.push_back(ExpectInto(log));
  std::thread transport([&] {
    for (const std::uint64_t tag : tags) router_.OnResult(WithTag(tag, {}));
  });
  logs[kCount / 10].WaitForSize(1);
  router_.GiveUp();
  transport.join();
  for (const ResultLog& log : logs) EXPECT_EQ(log.size(), 1U);
}

TEST_F(ResultRouterTest, RecordsStrayRepliesOfPairsOnly) {
  const PairId pair = AddPair("a");
  ResultLog log;
  const std::uint64_t tag = ExpectInto(log);
  const std::uint64_t request = ResultRouter::TagOf({pair, 7});
  router_.OnStrayReply(request, StrayReply::kDuplicate);
  router_.OnStrayReply(tag, StrayReply::kDuplicate);
  EXPECT_THAT(StatisticsOf(pair).stray_replies, ElementsAre(0, 1));
  EXPECT_EQ(log.size(), 0U);
}

}  // namespace
}  // namespace echo_exporter
