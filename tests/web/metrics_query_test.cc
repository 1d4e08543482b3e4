#include "src/web/metrics_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace echo_exporter {
namespace {

using testing::ElementsAre;

Result<MetricsQuery> Parse(const std::string& query) {
  return ParseMetricsQuery(query, [](std::string_view name) {
    return name == "a" || name == "b c" || name.empty();
  });
}

std::string ErrorOf(const std::string& query) {
  const auto result = Parse(query);
  return result.ok() ? "" : result.error().message;
}

TEST(MetricsQueryTest, AsksForEverythingByDefault) {
  for (const char* query : {"", "&", "&&"}) {
    const auto result = Parse(query);
    ASSERT_TRUE(result.ok());
    EXPECT_TRUE(result.value().pairs);
    EXPECT_TRUE(result.value().exporter);
    EXPECT_FALSE(result.value().groups);
  }
}

TEST(MetricsQueryTest, AsksForThePairsOfGroupsAlone) {
  for (const char* query :
       {"group=a&group=b%20c&group=a", "group=b+c&pairs=only&%67roup=a"}) {
    const auto result = Parse(query);
    ASSERT_TRUE(result.ok()) << query;
    EXPECT_TRUE(result.value().pairs);
    EXPECT_FALSE(result.value().exporter);
    EXPECT_THAT(*result.value().groups, ElementsAre("a", "b c"));
  }
}

TEST(MetricsQueryTest, AsksForPairsOrForTheExporterAlone) {
  const auto only = Parse("pairs=only");
  ASSERT_TRUE(only.ok());
  EXPECT_TRUE(only.value().pairs);
  EXPECT_FALSE(only.value().exporter);
  const auto none = Parse("pairs=none");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none.value().pairs);
  EXPECT_TRUE(none.value().exporter);
}

TEST(MetricsQueryTest, SaysWhatItDoesNotKnow) {
  EXPECT_EQ(ErrorOf("group=x%0ay"),
            "There is no group \"x?y\" in the configuration.");
  EXPECT_EQ(ErrorOf("name=a"),
            "Unknown parameter \"name\": group and pairs are allowed.");
  EXPECT_EQ(ErrorOf("collect[]=x"),
            "Unknown parameter \"collect[]\": group and pairs are allowed.");
  EXPECT_EQ(ErrorOf("pairs=all"),
            "Parameter pairs is \"all\": none and only are allowed.");
  EXPECT_EQ(ErrorOf("pairs"),
            "Parameter pairs is \"\": none and only are allowed.");
  EXPECT_EQ(ErrorOf("pairs=only&pairs=only"),
            "Parameter pairs is given more than once.");
  EXPECT_EQ(ErrorOf("group=a&pairs=none"),
            "pairs=none leaves no pair of a group.");
  EXPECT_EQ(ErrorOf("group=%4"),
            "The query is not correctly encoded: % must be followed by two "
            "hexadecimal digits");
}

}  // namespace
}  // namespace echo_exporter
