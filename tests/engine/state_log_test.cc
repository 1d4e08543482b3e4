#include "src/engine/state_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StateLogTest : public testing::Test {
 protected:
  std::vector<std::string> TakeLines() { return std::exchange(lines_, {}); }

  /// `pair` is the test's name for it.
  void AddPair(PairId pair, const PairLabels& labels) {
    ids_[pair] = recorder_.AddPair(labels);
  }

  void Record(PairId pair, EchoOutcome outcome) {
    EchoResult result;
    result.outcome = outcome;
    sent_ += std::chrono::seconds(1);
    recorder_.RecordResult(recorder_.RecordRequest(ids_.at(pair), sent_, 3).id,
                           result);
  }

  void Down(PairId pair) {
    for (int i = 0; i < 3; ++i) Record(pair, EchoOutcome::kTimeout);
  }

  ManualClock clock_{SteadyTime(std::chrono::hours(1))};
  std::vector<std::string> lines_;
  StateLog log_{clock_, [this](LogLevel level, std::string_view message,
                               std::initializer_list<LogField> fields) {
                  lines_.push_back(FormatLogLine(LogFormat::kLogfmt, "now",
                                                 level, message, fields));
                }};
  ProbeRecorder recorder_{
      {.rtt_buckets = {0.1}}, clock_, false, false, {&log_}};
  std::map<PairId, PairId> ids_;
  SteadyTime sent_{};
};

TEST_F(StateLogTest, LogsAnOutageAndItsEnd) {
  AddPair(1, {"dns", "wan1", "192.0.2.1", {}});
  Record(1, EchoOutcome::kReply);
  Record(1, EchoOutcome::kTimeout);
  Record(1, EchoOutcome::kTimeout);
  EXPECT_THAT(TakeLines(), IsEmpty());
  Record(1, EchoOutcome::kHostUnreachable);
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=warn msg=\"pair is down\" group=dns "
                          "source=wan1 destination=192.0.2.1 "
                          "outcome=host_unreachable losses=3 lasted=2s"));
  Record(1, EchoOutcome::kTimeout);
  EXPECT_THAT(TakeLines(), IsEmpty());
  Record(1, EchoOutcome::kReply);
  EXPECT_THAT(
      TakeLines(),
      ElementsAre("time=now level=info msg=\"pair is up again\" group=dns "
                  "source=wan1 destination=192.0.2.1 outcome=timeout losses=4 "
                  "lasted=4s"));
}

TEST_F(StateLogTest, NamesTheModuleAndTheTargetOfAProbe) {
  AddPair(1, {"lan", "auto", "192.0.2.1", {}, "", /*of_module=*/true});
  Down(1);
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=warn msg=\"pair is down\" module=lan "
                          "source=auto target=192.0.2.1 outcome=timeout "
                          "losses=3 lasted=2s"));
}

TEST_F(StateLogTest, LogsNoSingleLosses) {
  AddPair(1, {"g", "s", "d", {}});
  for (int i = 0; i < 10; ++i) {
    Record(1, EchoOutcome::kTimeout);
    Record(1, EchoOutcome::kTimeout);
    Record(1, EchoOutcome::kReply);
  }
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(StateLogTest, LogsAPairThatIsDownFromTheStart) {
  AddPair(1, {"g", "s", "d", {}});
  Down(1);
  EXPECT_THAT(lines_, SizeIs(1));
}

TEST_F(StateLogTest, APairThatIsReplacedBeginsAnew) {
  AddPair(1, {"g", "s", "old", {}});
  Down(1);
  TakeLines();
  recorder_.RemovePair(ids_.at(1));
  AddPair(1, {"g", "s", "new", {}});
  Record(1, EchoOutcome::kReply);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(StateLogTest, BoundsTheLinesOfASecondAndCountsWhatIsLeftOut) {
  constexpr PairId kPairs = 25;
  for (PairId pair = 0; pair < kPairs; ++pair) {
    AddPair(pair, {"g", "s", std::to_string(pair), {}});
    Down(pair);
  }
  EXPECT_THAT(TakeLines(), SizeIs(StateLog::kLinesPerSecond));
  clock_.Advance(std::chrono::milliseconds(999));
  Record(0, EchoOutcome::kTimeout);
  EXPECT_THAT(TakeLines(), IsEmpty());
  clock_.Advance(std::chrono::milliseconds(1));
  Record(0, EchoOutcome::kTimeout);  // which is no change
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=warn msg=\"pair state changes "
                          "suppressed by the log rate limit\" changes=15"));
  Record(0, EchoOutcome::kReply);
  EXPECT_THAT(TakeLines(), SizeIs(1));
}

TEST_F(StateLogTest, TheCountOfWhatIsLeftOutIsALineOfTheSecond) {
  for (PairId pair = 0; pair < 11; ++pair) {
    AddPair(pair, {"g", "s", std::to_string(pair), {}});
    Down(pair);
  }
  TakeLines();
  clock_.Advance(std::chrono::seconds(1));
  for (PairId pair = 0; pair < 11; ++pair) {
    Record(pair, EchoOutcome::kReply);
  }
  EXPECT_THAT(TakeLines(), SizeIs(StateLog::kLinesPerSecond));
}

}  // namespace
}  // namespace echo_exporter
