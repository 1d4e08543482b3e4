#include "src/app/option_checks.h"

#include <gtest/gtest.h>

#include <string>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The canonical form of `text`; what is wrong with it, if anything is.
std::string Apply(const OptionCheck& check, std::string text) {
  const std::string error = check(text);
  return error.empty() ? text : error;
}

TEST(OptionChecksTest, ATimeIsADurationOrAPlainNumberOfSeconds) {
  EXPECT_EQ(ParseTime("200ms"), milliseconds(200));
  EXPECT_EQ(ParseTime("0.2"), milliseconds(200));
  EXPECT_EQ(ParseTime("3"), seconds(3));
  EXPECT_FALSE(ParseTime("0.2s"));
  EXPECT_FALSE(ParseTime("often"));
}

TEST(OptionChecksTest, DurationsAndTimesHaveTheirRanges) {
  const OptionCheck duration = IsDuration(seconds(1), hours(24));
  EXPECT_EQ(Apply(duration, "1s"), "1s");
  EXPECT_EQ(Apply(duration, "1d"), "1d");
  EXPECT_EQ(Apply(duration, "30"),
            "must be from 1s to 1d, such as 30s or 1m, not 30");
  const OptionCheck time = IsTime(milliseconds(10), hours(1));
  EXPECT_EQ(Apply(time, "0.01"), "0.01");
  EXPECT_EQ(Apply(time, "3600"), "3600");
  EXPECT_EQ(Apply(time, "0.009"),
            "must be from 10ms to 1h, such as 200ms or 0.2 (seconds), not "
            "0.009");
}

TEST(OptionChecksTest, WholeNumbersLoseTheirLeadingZeros) {
  const OptionCheck check = IsWholeNumber(1, 255);
  EXPECT_EQ(Apply(check, "1"), "1");
  EXPECT_EQ(Apply(check, "0255"), "255");
  EXPECT_EQ(Apply(check, "010"), "10");
  for (const std::string text : {"", "0", "256", "-1", "+1", "1.5", "0x10",
                                 "1 ", " 1", "many", "18446744073709551617"}) {
    EXPECT_EQ(Apply(check, text),
              "must be a whole number from 1 to 255, not " + text);
  }
}

TEST(OptionChecksTest, FileSizesBecomeBytes) {
  const OptionCheck check = IsFileSize();
  EXPECT_EQ(Apply(check, "1024"), "1024");
  EXPECT_EQ(Apply(check, "2048b"), "2048");
  EXPECT_EQ(Apply(check, "1k"), "1024");
  EXPECT_EQ(Apply(check, "1KB"), "1024");
  EXPECT_EQ(Apply(check, "1Ki"), "1024");
  EXPECT_EQ(Apply(check, "100MiB"), "104857600");
  EXPECT_EQ(Apply(check, "3g"), "3221225472");
  EXPECT_EQ(Apply(check, "1TiB"), "1099511627776");
  for (const std::string text :
       {"", "0", "1023", "1", "MiB", "2TiB", "1P", "1.5MiB", "-1k", "1 MiB",
        "1kk", "1bi", "much", "18014398509481985k"}) {
    EXPECT_EQ(Apply(check, text),
              "must be a size from 1KiB to 1TiB, such as 100MiB, not " + text);
  }
}

TEST(OptionChecksTest, OneOfNamesEveryChoice) {
  const OptionCheck check = IsOneOf({"debug", "info", "warn"});
  EXPECT_EQ(Apply(check, "debug"), "debug");
  EXPECT_EQ(Apply(check, "warn"), "warn");
  EXPECT_EQ(Apply(check, "loud"), "must be debug, info or warn, not loud");
}

TEST(OptionChecksTest, ListenAddressesAreThoseOfTheConfiguration) {
  const OptionCheck check = IsListenAddress();
  EXPECT_EQ(Apply(check, "[::1]:9000"), "[::1]:9000");
  EXPECT_NE(Apply(check, "nowhere").find("nowhere"), std::string::npos);
  EXPECT_NE(Apply(check, "nowhere"), "nowhere");
}

TEST(OptionChecksTest, TakesUrlsAndPathsOfProxies) {
  const auto url = [](std::string text) {
    const std::string error = IsExternalUrl()(text);
    return error.empty() ? text : "error";
  };
  EXPECT_EQ(url("http://a"), "http://a");
  EXPECT_EQ(url("https://a.example:8443/b/c/"), "https://a.example:8443/b/c");
  EXPECT_EQ(url("http://[::1]:80//"), "http://[::1]:80");
  EXPECT_EQ(url("/echo/"), "/echo");
  EXPECT_EQ(url("/"), "");
  for (const char* const bad :
       {"a", "ftp://a", "http://", "http:///a", "http://a/b?c", "http://a/%20",
        "\"http://a\"", "http://a//b", "http://a/b\r\nc"}) {
    EXPECT_EQ(url(bad), "error") << bad;
  }
  EXPECT_EQ(PathOfUrl("https://a.example:8443/b/c"), "/b/c");
  EXPECT_EQ(PathOfUrl("http://a"), "");
  EXPECT_EQ(PathOfUrl("/echo"), "/echo");

  const auto prefix = [](std::string text) {
    const std::string error = IsRoutePrefix()(text);
    return error.empty() ? text : "error";
  };
  EXPECT_EQ(prefix("/"), "");
  EXPECT_EQ(prefix(""), "");
  EXPECT_EQ(prefix("echo"), "/echo");
  EXPECT_EQ(prefix("/a/b/"), "/a/b");
  EXPECT_EQ(prefix("/a b"), "error");
  EXPECT_EQ(prefix("/a?b"), "error");
}

}  // namespace
}  // namespace echo_exporter
