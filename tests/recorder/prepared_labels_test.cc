#include "src/recorder/prepared_labels.h"

#include <gtest/gtest.h>

#include <string>

namespace echo_exporter {
namespace {

std::string LabelOfGroup(const std::string& name) {
  return RenderPairLabels({name, "s", "d", {}});
}

TEST(RenderPairLabelsTest, PutsTheGroupsOwnLabelsLast) {
  EXPECT_EQ(RenderPairLabels({"lan", "wan1", "192.0.2.1", {}}),
            R"(group="lan",source="wan1",destination="192.0.2.1")");
  EXPECT_EQ(RenderPairLabels({"g", "s", "d", {{"site", "fra"}, {"a", "b"}}}),
            R"(group="g",source="s",destination="d",site="fra",a="b")");
}

TEST(RenderPairLabelsTest, HasTheAddressOnlyWhereItIsALabel) {
  EXPECT_EQ(
      RenderPairLabels({"g", "s", "d", {{"a", "b"}}, "192.0.2.1"}),
      R"(group="g",source="s",destination="d",address="192.0.2.1",a="b")");
}

// Beside the hash of what they are of, it is all that tells pairs apart.
TEST(SameIdentityTest, EachNameMakesAnotherPairAndALabelDoesNot) {
  const PairLabels pair{"g", "s", "d", {{"a", "b"}}, "192.0.2.1"};
  const SameIdentity same;
  PairLabels other = pair;
  EXPECT_TRUE(same(&pair, &other));
  other.extra = Labels();
  EXPECT_TRUE(same(&pair, &other));
  EXPECT_EQ(IdentityHash()(&pair), IdentityHash()(&other));
  for (const auto rename :
       {+[](PairLabels* labels) { labels->group = "x"; },
        +[](PairLabels* labels) { labels->source = "x"; },
        +[](PairLabels* labels) { labels->destination = "x"; },
        +[](PairLabels* labels) { labels->address = "x"; }}) {
    other = pair;
    rename(&other);
    EXPECT_FALSE(same(&pair, &other));
    EXPECT_NE(IdentityHash()(&pair), IdentityHash()(&other));
  }
  other = pair;
  other.of_module = true;
  EXPECT_FALSE(same(&pair, &other));
}

TEST(RenderPairLabelsTest, EscapesWhatTheFormatGivesAMeaning) {
  EXPECT_EQ(RenderPairLabels({"a\"b", "c\\d", "e\nf", {{"x", "\\\"\n\\"}}}),
            R"(group="a\"b",source="c\\d",destination="e\nf",x="\\\"\n\\")");
}

TEST(RenderPairLabelsTest, KeepsUtf8) {
  for (const char* name :
       {"Z\xC3\xBCrich", "\xE6\x9D\xB1\xE4\xBA\xAC", "\xF0\x9F\x8C\x90",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xC2\x80",
        "\xE0\xA0\x80", "\xF0\x90\x80\x80", "tab\t{brace}=,"}) {
    EXPECT_EQ(LabelOfGroup(name), "group=\"" + std::string(name) +
                                      R"(",source="s",destination="d")");
  }
}

TEST(RenderPairLabelsTest, ReplacesBytesThatAreNotUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  const struct {
    std::string name;
    std::string written;
  } cases[] = {
      {"\xFF", bad},
      {"a\x80z", "a" + bad + "z"},
      {"\xC0\xAF", bad + bad},                      // overlong '/'
      {"\xE0\x9F\xBF", bad + bad + bad},            // overlong
      {"\xF0\x8F\xBF\xBF", bad + bad + bad + bad},  // overlong
      {"\xED\xA0\x80", bad + bad + bad},            // surrogate
      {"\xF4\x90\x80\x80", bad + bad + bad + bad},  // above U+10FFFF
      {"\xF5\x80\x80\x80", bad + bad + bad + bad},
      {"cut \xE6\x9D", "cut " + bad + bad},
      {"cut \xC3", "cut " + bad},
      {"\xC3\"", bad + "\\\""},  // the quote is not swallowed
      {"\xE6\x9D\n", bad + bad + "\\n"},
      {"\xF0\x9F\x8C\\", bad + bad + bad + "\\\\"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(LabelOfGroup(c.name),
              "group=\"" + c.written + R"(",source="s",destination="d")");
  }
}

}  // namespace
}  // namespace echo_exporter
