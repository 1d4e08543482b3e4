#include "src/probe/probe_query.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

ProbeQuery Parsed(std::string_view query,
                  const std::optional<std::string>& scrape_timeout = {}) {
  const Result<ProbeQuery> result = ParseProbeQuery(query, scrape_timeout);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result.ok() ? result.value() : ProbeQuery();
}

std::string Refused(std::string_view query,
                    const std::optional<std::string>& scrape_timeout = {}) {
  const Result<ProbeQuery> result = ParseProbeQuery(query, scrape_timeout);
  EXPECT_FALSE(result.ok()) << query;
  if (result.ok()) return "";
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  return result.error().message;
}

TEST(ProbeQueryTest, FillsInDefaults) {
  const ProbeQuery query = Parsed("target=192.0.2.1");
  EXPECT_EQ(query.target, "192.0.2.1");
  EXPECT_EQ(query.module, "icmp");
  EXPECT_EQ(query.source, std::nullopt);
  EXPECT_EQ(query.count, 1u);
  EXPECT_FALSE(query.debug);
  EXPECT_EQ(query.scrape_timeout, std::nullopt);
}

TEST(ProbeQueryTest, ReadsEveryParameter) {
  const ProbeQuery query = Parsed(
      "target=dns.example.net&module=big&source=wan1&count=100&debug=true",
      "2.5");
  EXPECT_EQ(query.target, "dns.example.net");
  EXPECT_EQ(query.module, "big");
  EXPECT_EQ(query.source, "wan1");
  EXPECT_EQ(query.count, 100u);
  EXPECT_TRUE(query.debug);
  EXPECT_EQ(query.scrape_timeout, milliseconds(2500));
}

TEST(ProbeQueryTest, DecodesPercentAndPlus) {
  EXPECT_EQ(Parsed("target=2001%3adb8%3A%3a1").target, "2001:db8::1");
  EXPECT_EQ(Parsed("%74arget=a&source=wan+1").source, "wan 1");
  EXPECT_EQ(Parsed("target=a=b").target, "a=b");
}

TEST(ProbeQueryTest, IgnoresHostnameAndEmptyPieces) {
  EXPECT_EQ(Parsed("&hostname=x&&target=a&").target, "a");
}

TEST(ProbeQueryTest, TakesEmptyModuleAndSourceForAbsent) {
  const ProbeQuery query = Parsed("target=a&module=&source=");
  EXPECT_EQ(query.module, "icmp");
  EXPECT_EQ(query.source, std::nullopt);
}

TEST(ProbeQueryTest, RefusesMissingTarget) {
  for (const char* query : {"", "target", "target=", "module=icmp"}) {
    EXPECT_EQ(Refused(query), "Target parameter is missing");
  }
}

TEST(ProbeQueryTest, RefusesRepeatedParameter) {
  for (const char* query : {"target=a&target=b", "target=a&target=a",
                            "target=a&hostname=b&hostname=c"}) {
    EXPECT_NE(Refused(query).find(" is given more than once"),
              std::string::npos);
  }
}

TEST(ProbeQueryTest, RefusesUnknownParameterNamingTheAllowedOnes) {
  EXPECT_EQ(Refused("target=a&timeout=1s"),
            "Unknown parameter \"timeout\": target, module, source, count and "
            "debug are allowed");
  EXPECT_EQ(Refused("target=a&%0a%ff=1"),
            "Unknown parameter \"??\": target, module, source, count and "
            "debug are allowed");
}

TEST(ProbeQueryTest, RefusesCountOutsideOneToHundred) {
  for (const char* count : {"", "0", "101", "-1", "+1", "1.0", "1e1", " 1",
                            "0x1", "4294967297", "one"}) {
    EXPECT_EQ(Refused(std::string("target=a&count=") + count).substr(0, 18),
              "Parameter count is");
  }
  EXPECT_EQ(Refused("target=a&count=101"),
            "Parameter count is \"101\": a whole number from 1 to 100 is "
            "allowed");
}

TEST(ProbeQueryTest, AcceptsFourWordsForDebug) {
  EXPECT_TRUE(Parsed("target=a&debug=1").debug);
  EXPECT_TRUE(Parsed("target=a&debug=true").debug);
  EXPECT_FALSE(Parsed("target=a&debug=0").debug);
  EXPECT_FALSE(Parsed("target=a&debug=false").debug);
  EXPECT_EQ(Refused("target=a&debug=yes"),
            "Parameter debug is \"yes\": true, false, 1 and 0 are allowed");
  Refused("target=a&debug=");
}

TEST(ProbeQueryTest, RefusesBadEncoding) {
  for (const char* query : {"target=%", "target=%4", "target=%zz", "%=a",
                            "target=a%-1", "target=%u0041"}) {
    EXPECT_EQ(Refused(query),
              "The query is not correctly encoded: % must be followed by two "
              "hexadecimal digits");
  }
}

TEST(ProbeQueryTest, RefusesControlCharacters) {
  for (const char* query : {"target=a%00", "target=a%0d%0ab", "target=%7f",
                            "target=a&module=%1b"}) {
    EXPECT_NE(Refused(query).find("control characters"), std::string::npos);
  }
  EXPECT_NE(Refused(std::string_view("target=a\0b", 10)).find("control"),
            std::string::npos);
}

TEST(ProbeQueryTest, RefusesOverlongValue) {
  EXPECT_EQ(Parsed("target=" + std::string(255, 'a')).target.size(), 255u);
  EXPECT_EQ(Refused("target=" + std::string(256, 'a')),
            "Parameter target is too long: 255 bytes are allowed");
}

TEST(ProbeQueryTest, ShortensWhatItQuotes) {
  EXPECT_LT(Refused(std::string(8000, 'x')).size(), 200u);
}

TEST(ProbeQueryTest, ReadsScrapeTimeoutAsPositiveSeconds) {
  EXPECT_EQ(Parsed("target=a", "10").scrape_timeout, seconds(10));
  EXPECT_EQ(Parsed("target=a", "0.25").scrape_timeout, milliseconds(250));
  EXPECT_EQ(Parsed("target=a", "1e-30").scrape_timeout, nanoseconds(1));
  EXPECT_EQ(Parsed("target=a", "1e300").scrape_timeout, hours(24));
}

TEST(ProbeQueryTest, RefusesScrapeTimeoutThatIsNoPositiveNumber) {
  for (const char* value : {"", "0", "-1", "nan", "inf", "-inf", "1s", " 1",
                            "1 ", "0x1", "1,5", "1e999", "ten"}) {
    EXPECT_EQ(Refused("target=a", value).substr(0, 45),
              "Header X-Prometheus-Scrape-Timeout-Seconds is");
  }
}

// Targets of a list may have settings of their own, in another GroupConfig of
// the name.
TEST(QueryOfPairTest, IsAsTheGroupOfTheDestinationSays) {
  ExporterConfig config;
  config.groups.resize(2);
  for (GroupConfig& group : config.groups) group.name = "g";
  config.groups[0].destinations = {{.name = "a", .address = {}}};
  config.groups[1].destinations = {{.name = "b", .address = {}}};
  config.groups[1].echo.timeout = seconds(7);
  const auto query = QueryOfPair(config, {"g", "wan1", "b"});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->target, "b");
  EXPECT_EQ(query->source, "wan1");
  EXPECT_EQ(query->pair_echo->timeout, seconds(7));
  EXPECT_FALSE(QueryOfPair(config, {"g", "wan1", "c"}));
}

TEST(QueryOfPairTest, IsAsTheContinuousModuleSays) {
  ExporterConfig config;
  config.modules["icmp"] = {};
  config.modules["lan"].mode = ModuleConfig::Mode::kContinuous;
  config.modules["lan"].echo.timeout = seconds(7);
  config.groups.emplace_back().name = "lan";
  PairLabels labels{.group = "lan", .source = "wan1", .destination = "a"};
  EXPECT_FALSE(QueryOfPair(config, labels)) << "of the group";
  labels.of_module = true;
  const auto query = QueryOfPair(config, labels);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->target, "a");
  EXPECT_EQ(query->source, "wan1");
  EXPECT_EQ(query->pair_echo->timeout, seconds(7));
  labels.group = "icmp";
  EXPECT_FALSE(QueryOfPair(config, labels)) << "it is not continuous";
  labels.group = "gone";
  EXPECT_FALSE(QueryOfPair(config, labels));
}

}  // namespace
}  // namespace echo_exporter
