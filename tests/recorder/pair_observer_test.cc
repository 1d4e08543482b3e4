#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "echo_exporter/probe_recorder.h"
#include "tests/engine/outcome_log.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PairObserverTest : public testing::Test {
 protected:
  PairId AddPair(const std::string& destination) {
    return recorder_.AddPair({"g", "s", destination, {}});
  }

  RequestId Send(PairId pair) {
    return recorder_.RecordRequest(pair, {}, 3).id;
  }

  void Record(PairId pair, EchoOutcome outcome) {
    EchoResult result;
    result.outcome = outcome;
    recorder_.RecordResult(Send(pair), result);
  }

  OutcomeLog log_;
  ProbeRecorder recorder_{
      {.rtt_buckets = {0.1}}, Clock::System(), false, false, {&log_}};
};

TEST_F(PairObserverTest, IsToldOfEachOtherOutcomeAndTheOneBefore) {
  const PairId a = AddPair("a");
  const PairId b = AddPair("b");
  Record(a, EchoOutcome::kReply);
  Record(a, EchoOutcome::kReply);
  Record(b, EchoOutcome::kTimeout);
  Record(a, EchoOutcome::kTtlExpired);
  EXPECT_THAT(log_.lines(), ElementsAre("a none reply", "b none timeout",
                                        "a reply ttl_expired"));
}

TEST_F(PairObserverTest, IsToldOfEqualOutcomesWhileItWantsThem) {
  const PairId a = AddPair("a");
  log_.WantEveryOutcome(true);
  Record(a, EchoOutcome::kReply);
  Record(a, EchoOutcome::kReply);
  log_.WantEveryOutcome(false);
  Record(a, EchoOutcome::kReply);
  EXPECT_THAT(log_.lines(), ElementsAre("a none reply", "a reply reply"));
}

TEST_F(PairObserverTest, IsToldOfTheBeginAndTheEndOfAnOutage) {
  const PairId a = AddPair("a");
  for (int i = 0; i < 5; ++i) Record(a, EchoOutcome::kTimeout);
  Record(a, EchoOutcome::kReply);
  EXPECT_THAT(log_.lines(),
              ElementsAre("a none timeout", "a timeout timeout, 3 lost: outage",
                          "a timeout reply, 5 lost: its end"));
}

TEST_F(PairObserverTest, OutcomesOfThisHostLeaveTheStateAsItWas) {
  const PairId a = AddPair("a");
  log_.WantEveryOutcome(true);
  Record(a, EchoOutcome::kSuspended);
  Record(a, EchoOutcome::kReply);
  Record(a, EchoOutcome::kNoResources);
  Record(a, EchoOutcome::kSuspended);
  Record(a, EchoOutcome::kTimeout);
  EXPECT_THAT(log_.lines(), ElementsAre("a none reply", "a reply timeout"));
}

TEST_F(PairObserverTest, IsToldInTheOrderOfSending) {
  const PairId a = AddPair("a");
  Record(a, EchoOutcome::kReply);
  const RequestId lost = Send(a);
  const RequestId also_lost = Send(a);
  // The replies overtake the timeouts; the pair was down once.
  Record(a, EchoOutcome::kReply);
  EchoResult timeout;
  timeout.outcome = EchoOutcome::kTimeout;
  recorder_.RecordResult(lost, timeout);
  Record(a, EchoOutcome::kReply);
  EXPECT_THAT(log_.lines(), ElementsAre("a none reply", "a reply timeout"));
  recorder_.RecordResult(also_lost, timeout);
  EXPECT_THAT(log_.lines(), ElementsAre("a none reply", "a reply timeout",
                                        "a timeout reply"));
}

TEST_F(PairObserverTest, IsNotToldOfARemovedPair) {
  const PairId a = AddPair("a");
  const RequestId first = Send(a);
  const RequestId second = Send(a);
  recorder_.RemovePair(a);
  recorder_.RecordResult(first, {});
  EXPECT_THAT(log_.lines(), IsEmpty());
  // Nor does it end, and it goes on with what it had.
  ASSERT_EQ(AddPair("a"), a);
  recorder_.RecordResult(second, {});
  Record(a, EchoOutcome::kTimeout);
  EXPECT_THAT(log_.lines(), ElementsAre("a other timeout, 3 lost: outage"));
}

TEST_F(PairObserverTest, IsToldInTheOrderOfAPairByManyThreads) {
  constexpr int kEach = 500;
  const PairId a = AddPair("a");
  log_.WantEveryOutcome(true);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, a, t] {
      for (std::size_t i = 0; i < kEach; ++i) {
        // The first ones are not of this host.
        Record(a, static_cast<EchoOutcome>((t * kEach + i) % 11));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = log_.lines();
  ASSERT_EQ(lines.size(), 4U * kEach);
  std::string last = "none";
  for (const std::string& line : lines) {
    ASSERT_THAT(line, testing::StartsWith("a " + last + " "));
    const std::string told = line.substr(0, line.find(','));
    last = told.substr(told.rfind(' ') + 1);
  }
}

}  // namespace
}  // namespace echo_exporter
