#include "src/engine/pair_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/outcome_log.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PairStatesTest : public testing::Test {
 protected:
  void AddPair(PairId pair, const PairLabels& labels) {
    states_.AddPair(pair, std::make_shared<const PairLabels>(labels));
  }

  PairStates states_;
  OutcomeLog log_;
  std::optional<PairObservation> observation_{std::in_place, states_, log_};
};

TEST_F(PairStatesTest, TellsOfEachOutcomeAndTheOneBefore) {
  AddPair(1, {"g", "s", "a", {}});
  AddPair(2, {"g", "s", "b", {}});
  states_.Record(1, EchoOutcome::kReply);
  states_.Record(1, EchoOutcome::kReply);
  states_.Record(2, EchoOutcome::kTimeout);
  states_.Record(1, EchoOutcome::kTtlExpired);
  EXPECT_THAT(log_.lines(),
              ElementsAre("a none reply", "a reply reply", "b none timeout",
                          "a reply ttl_expired"));
}

TEST_F(PairStatesTest, APairCountsAsUpUntilItsFirstOutcome) {
  const PairLabels labels;
  PairOutcome outcome{
      .pair = 1, .labels = labels, .outcome = {}, .previous = std::nullopt};
  EXPECT_TRUE(outcome.was_up());
  outcome.previous = EchoOutcome::kTimeout;
  EXPECT_FALSE(outcome.was_up());
  outcome.previous = EchoOutcome::kReply;
  EXPECT_TRUE(outcome.was_up());
  outcome.outcome = EchoOutcome::kCorruptReply;
  EXPECT_FALSE(outcome.is_up());
  outcome.outcome = EchoOutcome::kReply;
  EXPECT_TRUE(outcome.is_up());
}

TEST_F(PairStatesTest, OutcomesOfThisHostLeaveTheStateAsItWas) {
  AddPair(1, {"g", "s", "d", {}});
  states_.Record(1, EchoOutcome::kSuspended);
  states_.Record(1, EchoOutcome::kReply);
  states_.Record(1, EchoOutcome::kNoResources);
  states_.Record(1, EchoOutcome::kSuspended);
  states_.Record(1, EchoOutcome::kTimeout);
  EXPECT_THAT(log_.lines(), ElementsAre("d none reply", "d reply timeout"));
}

TEST_F(PairStatesTest, CountsLossesSinceTheLastReply) {
  class Losses final : public PairObserver {
   public:
    void OnOutcome(const PairOutcome& outcome) override {
      counts.push_back(outcome.losses);
    }
    std::vector<std::uint32_t> counts;
  } losses;
  const PairObservation observation(states_, losses);
  AddPair(1, {"g", "s", "d", {}});
  for (const EchoOutcome outcome :
       {EchoOutcome::kTimeout, EchoOutcome::kProhibited,
        EchoOutcome::kNoResources, EchoOutcome::kTimeout, EchoOutcome::kReply,
        EchoOutcome::kTimeout}) {
    states_.Record(1, outcome);
  }
  EXPECT_THAT(losses.counts, ElementsAre(1, 2, 3, 0, 1));
}

TEST_F(PairStatesTest, IgnoresPairsThatAreNotThere) {
  states_.Record(1, EchoOutcome::kTimeout);
  AddPair(2, {"g", "s", "d", {}});
  states_.RemovePair(2);
  states_.Record(2, EchoOutcome::kTimeout);
  EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(PairStatesTest, APairKeepsItsStateUnderOtherLabels) {
  AddPair(1, {"g", "s", "old", {}});
  states_.Record(1, EchoOutcome::kTimeout);
  AddPair(1, {"g", "s", "new", {}});
  states_.Record(1, EchoOutcome::kReply);
  EXPECT_THAT(log_.lines(),
              ElementsAre("old none timeout", "new timeout reply"));
}

TEST_F(PairStatesTest, TellsAllObserversWhileTheyObserve) {
  AddPair(1, {"g", "s", "d", {}});
  OutcomeLog second;
  const PairObservation observation(states_, second);
  states_.Record(1, EchoOutcome::kReply);
  observation_.reset();
  states_.Record(1, EchoOutcome::kTimeout);
  EXPECT_THAT(log_.lines(), ElementsAre("d none reply"));
  EXPECT_THAT(second.lines(), ElementsAre("d none reply", "d reply timeout"));
}

TEST_F(PairStatesTest, KeepsTheOrderOfAPairAmongManyThreads) {
  constexpr int kEach = 500;
  AddPair(1, {"g", "s", "d", {}});
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (std::size_t i = 0; i < kEach; ++i) {
        // The first ones are not of this host.
        states_.Record(1, static_cast<EchoOutcome>((t * kEach + i) % 11));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = log_.lines();
  ASSERT_EQ(lines.size(), 4U * kEach);
  std::string last = "none";
  for (const std::string& line : lines) {
    ASSERT_THAT(line, testing::StartsWith("d " + last + " "));
    last = line.substr(line.rfind(' ') + 1);
  }
}

}  // namespace
}  // namespace echo_exporter
