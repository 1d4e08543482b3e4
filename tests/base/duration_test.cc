#include "src/base/duration.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(DurationTest, ReadsEveryUnit) {
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("1s"), seconds(1));
  EXPECT_EQ(ParseDuration("90m"), minutes(90));
  EXPECT_EQ(ParseDuration("24h"), hours(24));
  EXPECT_EQ(ParseDuration("2d"), hours(48));
  EXPECT_EQ(ParseDuration("0s"), seconds(0));
  EXPECT_EQ(ParseDuration("007s"), seconds(7));
}

TEST(DurationTest, ReadsUnitsFromLargeToSmall) {
  EXPECT_EQ(ParseDuration("1h30m"), minutes(90));
  EXPECT_EQ(ParseDuration("1d2h3m4s5ms"),
            hours(26) + minutes(3) + seconds(4) + milliseconds(5));
  EXPECT_EQ(ParseDuration("1m500ms"), minutes(1) + milliseconds(500));
}

TEST(DurationTest, RefusesAnythingElse) {
  for (const char* text :
       {"",    "1",     "0",    "s",    "ms",   "1.5s", "-1s",
        "+1s", " 1s",   "1s ",  "1 s",  "1s1s", "1s1m", "1ms1s",
        "1S",  "1us",   "1ns",  "1w",   "1y",   "1sec", "1s5",
        "1hm", "1m-5s", "fast", "1e3s", "0x1s", "1s\n"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(DurationTest, RefusesWhatDoesNotFit) {
  EXPECT_TRUE(ParseDuration("106751d"));
  EXPECT_TRUE(ParseDuration("9223372036854ms"));
  for (const char* text :
       {"106752d", "9223372036855ms", "106751d24h", "9223372036s855ms",
        "9223372036854775807d", "99999999999999999999s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(DurationTest, ReadsPlainSeconds) {
  EXPECT_EQ(ParseSeconds("0"), seconds(0));
  EXPECT_EQ(ParseSeconds("1"), seconds(1));
  EXPECT_EQ(ParseSeconds("010"), seconds(10));
  EXPECT_EQ(ParseSeconds("0.2"), milliseconds(200));
  EXPECT_EQ(ParseSeconds(".5"), milliseconds(500));
  EXPECT_EQ(ParseSeconds("2."), seconds(2));
  EXPECT_EQ(ParseSeconds("1.000000001"), seconds(1) + Nanoseconds(1));
  EXPECT_EQ(ParseSeconds("9223372036.854775807"), Nanoseconds::max());
}

TEST(DurationTest, RefusesWhatIsNotPlainSeconds) {
  for (const char* text : {"",
                           ".",
                           "..",
                           "1.2.3",
                           "-1",
                           "+1",
                           " 1",
                           "1 ",
                           "1s",
                           "200ms",
                           "1e3",
                           "0x1",
                           "1,5",
                           "inf",
                           "nan",
                           "-0",
                           "0.-1",
                           "1.0000000001",
                           "9223372036.854775808",
                           "99999999999999999999"}) {
    EXPECT_FALSE(ParseSeconds(text)) << text;
  }
}

TEST(DurationTest, WritesTheShortestText) {
  const std::vector<std::pair<Nanoseconds, std::string>> table = {
      {seconds(0), "0s"},
      {milliseconds(1), "1ms"},
      {milliseconds(1500), "1500ms"},
      {seconds(10) + milliseconds(500), "10500ms"},
      {seconds(90), "90s"},
      {minutes(1), "1m"},
      {minutes(90), "90m"},
      {hours(1), "1h"},
      {hours(25), "25h"},
      {hours(24), "1d"},
      {hours(24) + seconds(1), "1d1s"},
      {hours(1) + milliseconds(1), "1h1ms"},
  };
  for (const auto& [duration, text] : table) {
    EXPECT_EQ(FormatDuration(duration), text);
  }
}

TEST(DurationTest, ReadsBackWhatItWrites) {
  std::int64_t count = 1;
  for (int i = 0; i < 40; ++i, count = count * 2 + i) {
    const milliseconds duration(count);
    EXPECT_EQ(ParseDuration(FormatDuration(duration)), duration) << count;
  }
}

TEST(DurationTest, GivesSeconds) {
  EXPECT_DOUBLE_EQ(ToSeconds(milliseconds(1500)), 1.5);
  EXPECT_DOUBLE_EQ(ToSeconds(Nanoseconds(250)), 2.5e-7);
}

}  // namespace
}  // namespace echo_exporter
