#include "src/engine/state_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

  ManualClock clock_{SteadyTime(std::chrono::hours(1))};
  std::vector<std::string> lines_;
  StateLog log_{clock_, [this](LogLevel level, std::string_view message,
                               std::initializer_list<LogField> fields) {
                  lines_.push_back(FormatLogLine(LogFormat::kLogfmt, "now",
                                                 level, message, fields));
                }};
};

TEST_F(StateLogTest, LogsAPairThatGoesDownAndThatIsUpAgain) {
  log_.AddPair(1, "dns", "wan1", "192.0.2.1");
  log_.Record(1, EchoOutcome::kReply);
  EXPECT_THAT(TakeLines(), IsEmpty());
  log_.Record(1, EchoOutcome::kTimeout);
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=warn msg=\"pair is down\" group=dns "
                          "source=wan1 destination=192.0.2.1 outcome=timeout "
                          "previous=reply"));
  log_.Record(1, EchoOutcome::kReply);
  EXPECT_THAT(
      TakeLines(),
      ElementsAre("time=now level=info msg=\"pair is up again\" group=dns "
                  "source=wan1 destination=192.0.2.1 outcome=reply "
                  "previous=timeout"));
}

TEST_F(StateLogTest, LogsNothingWhileAPairStaysDown) {
  log_.AddPair(1, "g", "s", "d");
  log_.Record(1, EchoOutcome::kReply);
  log_.Record(1, EchoOutcome::kTimeout);
  TakeLines();
  log_.Record(1, EchoOutcome::kTimeout);
  log_.Record(1, EchoOutcome::kHostUnreachable);
  EXPECT_THAT(TakeLines(), IsEmpty());
  log_.Record(1, EchoOutcome::kReply);
  EXPECT_THAT(lines_, ElementsAre(testing::HasSubstr(
                          "outcome=reply previous=host_unreachable")));
}

TEST_F(StateLogTest, LogsAPairThatIsDownFromTheStart) {
  log_.AddPair(1, "g", "s", "d");
  log_.Record(1, EchoOutcome::kBadSource);
  EXPECT_THAT(
      lines_,
      ElementsAre(testing::HasSubstr("outcome=bad_source previous=none")));
}

TEST_F(StateLogTest, IgnoresPairsThatAreNotThere) {
  log_.Record(1, EchoOutcome::kTimeout);
  log_.AddPair(2, "g", "s", "d");
  log_.RemovePair(2);
  log_.Record(2, EchoOutcome::kTimeout);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(StateLogTest, APairThatIsReplacedBeginsAnew) {
  log_.AddPair(1, "g", "s", "old");
  log_.Record(1, EchoOutcome::kTimeout);
  TakeLines();
  log_.AddPair(1, "g", "s", "new");
  log_.Record(1, EchoOutcome::kReply);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(StateLogTest, BoundsTheLinesOfASecondAndCountsWhatIsLeftOut) {
  constexpr PairId kPairs = 25;
  for (PairId pair = 0; pair < kPairs; ++pair) {
    log_.AddPair(pair, "g", "s", std::to_string(pair));
    log_.Record(pair, EchoOutcome::kTimeout);
  }
  EXPECT_THAT(TakeLines(), SizeIs(StateLog::kLinesPerSecond));
  clock_.Advance(std::chrono::milliseconds(999));
  log_.Record(0, EchoOutcome::kTimeout);
  EXPECT_THAT(TakeLines(), IsEmpty());
  clock_.Advance(std::chrono::milliseconds(1));
  log_.Record(0, EchoOutcome::kTimeout);  // which is no change
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=warn msg=\"changes of pairs not "
                          "logged, there were too many\" changes=15"));
  log_.Record(0, EchoOutcome::kReply);
  EXPECT_THAT(TakeLines(), SizeIs(1));
}

TEST_F(StateLogTest, TheCountOfWhatIsLeftOutIsALineOfTheSecond) {
  for (PairId pair = 0; pair < 11; ++pair) {
    log_.AddPair(pair, "g", "s", std::to_string(pair));
    log_.Record(pair, EchoOutcome::kTimeout);
  }
  TakeLines();
  clock_.Advance(std::chrono::seconds(1));
  for (PairId pair = 0; pair < 11; ++pair) {
    log_.Record(pair, EchoOutcome::kReply);
  }
  EXPECT_THAT(TakeLines(), SizeIs(StateLog::kLinesPerSecond));
}

}  // namespace
}  // namespace echo_exporter
