#include "src/base/condition_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ConditionLogTest : public testing::Test {
 protected:
  std::vector<std::string> TakeLines() { return std::exchange(lines_, {}); }

  static std::string Name(int i) { return "n" + std::to_string(i); }

  static constexpr ConditionLog::Kind kNames = {
      .begins = "bad", .ends = "good", .subject = "name"};

  ManualClock clock_{SteadyTime(hours(1))};
  std::vector<std::string> lines_;
  const ConditionLog::Sink sink_ = [this](
                                       LogLevel level, std::string_view message,
                                       std::initializer_list<LogField> fields) {
    lines_.push_back(
        FormatLogLine(LogFormat::kLogfmt, "now", level, message, fields));
  };
  ConditionLog log_{kNames, clock_, sink_};
};

TEST_F(ConditionLogTest, LogsTheBeginningAndTheEnd) {
  log_.End("a");
  EXPECT_THAT(TakeLines(), IsEmpty());
  log_.Report("a", "no answer");
  log_.Report("a", "no such name");
  EXPECT_THAT(
      TakeLines(),
      ElementsAre("time=now level=warn msg=bad name=a error=\"no answer\""));
  clock_.Advance(seconds(61));
  log_.End("a");
  log_.End("a");
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=info msg=good name=a lasted=61s"));
}

TEST_F(ConditionLogTest, LogsWhatLastsOnceAnHour) {
  for (int i = 0; i < 24 * 720; ++i) {  // every five seconds, a day long
    log_.Report("a", "no answer");
    clock_.Advance(seconds(5));
  }
  const std::vector<std::string> lines = TakeLines();
  ASSERT_THAT(lines, SizeIs(24));
  EXPECT_EQ(lines.back(),
            "time=now level=warn msg=bad count=1 name=a error=\"no answer\"");
}

TEST_F(ConditionLogTest, HasOneLimitForAllOfAKind) {
  for (int minute = 0; minute < 24 * 60; ++minute) {
    for (int i = 0; i < 300; ++i) log_.Report(Name(i), "no answer");
    clock_.Advance(minutes(1));
  }
  const std::vector<std::string> lines = TakeLines();
  // Ten with a line of their own, and the line for all: soon, and once an hour.
  ASSERT_THAT(lines, SizeIs(10 + 24));
  EXPECT_THAT(lines[9], HasSubstr(" name=n9 "));
  EXPECT_THAT(lines[10], HasSubstr(" count=300 suppressed=290 name=n0 "));
}

TEST_F(ConditionLogTest, LogsTheEndOfWhatHasALineAndOfAllOthersTogether) {
  for (int i = 0; i < 300; ++i) log_.Report(Name(i), "no answer");
  clock_.Advance(ConditionLog::kSummaryDelay);
  log_.Report(Name(0), "no answer");
  TakeLines();
  for (int i = 299; i >= 10; --i) log_.End(Name(i));
  EXPECT_THAT(TakeLines(),
              ElementsAre("time=now level=info msg=good count=290"));
  for (int i = 0; i < 10; ++i) log_.End(Name(i));
  EXPECT_THAT(TakeLines(), SizeIs(10));
}

TEST_F(ConditionLogTest, IsBoundedForWhatComesAndGoes) {
  for (int i = 0; i < 24 * 3600; ++i) {
    const std::string name = Name(i % 300);
    log_.Report(name, "no answer");
    log_.End(name);
    clock_.Advance(seconds(1));
  }
  // 250 with two lines each, and each hour a line for all and one for its end.
  EXPECT_LE(lines_.size(), 2U * (10 + 240) + 2 * 24);
  EXPECT_GE(lines_.size(), 2U * (10 + 239) + 2 * 23);
  EXPECT_THAT(lines_, Contains(HasSubstr(" count=1 suppressed=3590 ")));
}

TEST_F(ConditionLogTest, ForgetsWithoutALine) {
  log_.Report("a", "no answer");
  TakeLines();
  log_.Forget("a");
  log_.Forget("b");
  log_.End("a");
  EXPECT_THAT(TakeLines(), IsEmpty());
}

}  // namespace
}  // namespace echo_exporter
