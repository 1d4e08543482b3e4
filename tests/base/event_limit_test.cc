#include <gtest/gtest.h>

#include "src/base/log_sink.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(EventLimitTest, LetsWarningsAndErrorsThroughOnly) {
  EventLimit limit;
  const SteadyTime now(hours(1));
  EXPECT_FALSE(limit.Allows(LogLevel::kDebug, now));
  EXPECT_FALSE(limit.Allows(LogLevel::kInfo, now));
  EXPECT_TRUE(limit.Allows(LogLevel::kWarn, now));
  EXPECT_TRUE(limit.Allows(LogLevel::kError, now));
  EXPECT_EQ(limit.TakeLeftOut(), 0U);
}

TEST(EventLimitTest, WritesOneASecondInTheLongRunAndCountsTheRest) {
  EventLimit limit;
  SteadyTime now(hours(1));
  std::uint64_t written = 0;
  std::uint64_t left_out = 0;
  for (int i = 0; i < 10 * 3600; ++i) {  // ten lines a second for an hour
    if (limit.Allows(LogLevel::kWarn, now)) {
      ++written;
      left_out += limit.TakeLeftOut();
    }
    now += milliseconds(100);
  }
  left_out += limit.TakeLeftOut();
  EXPECT_LE(written, 3600U + 20U);
  EXPECT_GE(written, 3600U);
  EXPECT_EQ(written + left_out, 36000U);
}

TEST(EventLimitTest, HasRoomForAllErrorsOfASmallConfiguration) {
  EventLimit limit;
  const SteadyTime now(hours(1));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(limit.Allows(LogLevel::kError, now)) << i;
  }
  EXPECT_FALSE(limit.Allows(LogLevel::kError, now));
  EXPECT_EQ(limit.TakeLeftOut(), 1U);
  EXPECT_EQ(limit.TakeLeftOut(), 0U);
  EXPECT_TRUE(limit.Allows(LogLevel::kError, now + seconds(1)));
}

// An information is no news, and takes nothing from what is.
TEST(EventLimitTest, CountsNoInformation) {
  EventLimit limit;
  const SteadyTime now(hours(1));
  for (int i = 0; i < 100; ++i) limit.Allows(LogLevel::kInfo, now);
  EXPECT_EQ(limit.TakeLeftOut(), 0U);
  EXPECT_TRUE(limit.Allows(LogLevel::kWarn, now));
}

}  // namespace
}  // namespace echo_exporter
