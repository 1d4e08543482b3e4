#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "src/config/document.h"
#include "tests/config/document_text.h"

namespace echo_exporter {
namespace {

std::string YamlTree(std::string_view text) {
  return ParseToText(
      [](auto t, Findings& findings) { return ParseYaml(t, findings); }, text);
}

constexpr std::string_view kTooMuch =
    "not valid YAML: anchors and aliases expand to too much";
constexpr std::string_view kTooDeep =
    "not valid YAML: nested more than 64 levels deep";

/// "f:line:column: " of the error that ends with the sentence.
std::string PlaceOf(std::string_view sentence, const std::string& text) {
  const std::string error = YamlTree(text);
  EXPECT_TRUE(error.ends_with(sentence)) << error.substr(0, 200);
  return error.substr(0, error.find(": ") + 2);
}

TEST(YamlDocumentTest, HoldsNoMoreValuesThanItMay) {
  const auto parse = [](std::string_view text, Findings& findings) {
    return ParseYaml(text, findings, 5);  // keys and lists are among them
  };
  EXPECT_EQ(ParseToText(parse, "{a: [1, 2]}"), "1:1{a@1:2=1:5[1:6 1, 1:9 2]}");
  EXPECT_EQ(ParseToText(parse, "[0, 0, 0,\n0, 0, 0]"),
            "f:2:7: not valid YAML: more than 5 values");
}

TEST(YamlDocumentTest, ReadsEveryKindOfValueWithItsPosition) {
  EXPECT_EQ(YamlTree("a: [1, -2, 0.5, x y]\n"
                     "b:\n"
                     "  - true\n"
                     "  - {c: \"d\"}\n"),
            "1:1{a@1:1=1:4[1:5 1, 1:8 -2, 1:12 float 0.5, 1:17 \"x y\"], "
            "b@2:1=3:3[3:5 true, 4:5{c@4:6=4:9 \"d\"}]}");
  EXPECT_EQ(YamlTree("- x\n"), "1:1[1:3 \"x\"]");
}

TEST(YamlDocumentTest, HoldsNullWithoutADocument) {
  for (const char* const text : {"", "# nothing\n", "---\n", "~\n"}) {
    EXPECT_EQ(YamlTree(text), "1:1 null") << text;
  }
}

TEST(YamlDocumentTest, NullIsAtThePlaceOfItsKeyOrList) {
  EXPECT_EQ(YamlTree("a:\n  b:\n  c: ~\n  d: [x, null]\n"),
            "1:1{a@1:1=2:3{b@2:3=2:3 null, c@3:3=3:3 null, "
            "d@4:3=4:6[4:7 \"x\", 4:6 null]}}");
}

TEST(YamlDocumentTest, PlainScalarsAloneStandForNumbersAndTruthValues) {
  EXPECT_EQ(YamlTree("[1, '1', \"1\", !!str 1, ! 1]"),
            "1:1[1:2 1, 1:5 \"1\", 1:10 \"1\", 1:15 \"1\", 1:24 \"1\"]");
  EXPECT_EQ(YamlTree("[yes, No, ON, off, 'yes', yES]"),
            "1:1[1:2 true, 1:7 false, 1:11 true, 1:15 false, 1:20 \"yes\", "
            "1:27 \"yES\"]");
  EXPECT_EQ(YamlTree("[1x, 0x10, inf, nan, 9999999999999999999]"),
            "1:1[1:2 \"1x\", 1:6 \"0x10\", 1:12 \"inf\", 1:17 \"nan\", "
            "1:22 float 1e+19]");
}

TEST(YamlDocumentTest, KeepsScalarsAsWritten) {
  Findings findings("f");
  const auto document = ParseYaml("[010, 1.50, Yes]", findings);
  ASSERT_TRUE(document);
  ASSERT_EQ(document->root.children.size(), 3U);
  EXPECT_EQ(document->root.children[0].text, "010");
  EXPECT_EQ(document->root.children[1].text, "1.50");
  EXPECT_EQ(document->root.children[2].text, "Yes");
  EXPECT_TRUE(document->may_hold_secrets);
}

TEST(YamlDocumentTest, KeepsWrongKeysForWhoReadsTheTable) {
  Findings findings("f");
  const auto document = ParseYaml(
      "a: 1\n'a': 2\n? [b]\n: 3\n? {c: d}\n: 4\n: 5\nyes: 6\n", findings);
  ASSERT_TRUE(document);
  const DocumentNode& root = document->root;
  EXPECT_EQ(TreeText(root), "1:1{a@1:1=1:4 1, yes@8:1=8:6 6}");
  ASSERT_EQ(root.faults.size(), 4U);
  EXPECT_EQ(root.faults[0].position, (TextPosition{2, 1}));
  EXPECT_EQ(root.faults[0].sentence, "\"a\" is a duplicate; first on line 1");
  EXPECT_EQ(root.faults[1].position, (TextPosition{3, 3}));
  EXPECT_EQ(root.faults[1].sentence, "a key must be a string, not a list");
  EXPECT_EQ(root.faults[2].sentence, "a key must be a string, not a mapping");
  EXPECT_EQ(root.faults[3].sentence, "a key must be a string, not null");
}

TEST(YamlDocumentTest, ThereIsOneDocumentAtMost) {
  EXPECT_EQ(YamlTree("a: 1\n---\nb: 2\n---\nc: 3\n"),
            "f:2:1: the file must contain only one YAML document");
  EXPECT_EQ(YamlTree(",: e"),
            "f:1:1: the file must contain only one YAML document");
}

TEST(YamlDocumentTest, SaysWhatIsNotYamlAndWhere) {
  EXPECT_EQ(YamlTree("a: {b: c\n"),
            "f:2:1: not valid YAML: end of map flow not found");
}

TEST(YamlDocumentTest, AliasesAreReplacedByWhatTheyStandFor) {
  EXPECT_EQ(YamlTree("a: &x [1, &y 2]\nb: *x\n*y : *y\n"),
            "1:1{a@1:1=1:4[1:8 1, 1:11 2], b@2:1=1:4[1:8 1, 1:11 2], "
            "2@1:11=1:11 2}");
  EXPECT_EQ(YamlTree("a: &x\nb: *x\n"), "1:1{a@1:1=1:1 null, b@2:1=1:1 null}");
  // An anchor may be set anew.
  EXPECT_EQ(YamlTree("[&x 1, *x, &x 2, *x]"),
            "1:1[1:2 1, 1:2 1, 1:12 2, 1:12 2]");
}

TEST(YamlDocumentTest, AMergeKeyGivesWhatIsNotThere) {
  const std::string anchors = "- &a {x: 1, y: 2}\n- &b {y: 3, z: 4}\n";
  const std::string read =
      "1:1[1:3{x@1:7=1:10 1, y@1:13=1:16 2}, "
      "2:3{y@2:7=2:10 3, z@2:13=2:16 4}, ";
  EXPECT_EQ(YamlTree(anchors + "- {<<: *a, x: 5}\n"),
            read + "3:3{x@3:12=3:15 5, y@1:13=1:16 2}]");
  EXPECT_EQ(YamlTree(anchors + "- <<: [*a, *b]\n"),
            read + "3:3{x@1:7=1:10 1, y@1:13=1:16 2, z@2:13=2:16 4}]");
  // Of no mapping, it is a key like any other.
  EXPECT_EQ(YamlTree("<<: [a]"), "1:1{<<@1:1=1:5[1:6 \"a\"]}");
}

TEST(YamlDocumentTest, AliasesMustStandForSomethingBeforeThem) {
  EXPECT_TRUE(YamlTree("a: *x\n").starts_with(
      "f:1:4: not valid YAML: the referenced anchor is not defined"));
  EXPECT_EQ(YamlTree("a: &x [1, *x]\n"),
            "f:1:11: not valid YAML: an alias to a value that contains it");
}

TEST(YamlDocumentTest, AliasesOfAliasesDoNotFillTheMemory) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = 'a' + std::to_string(i);
    text += name + ": &" + name + " [" + before;
    for (int n = 1; n < 10; ++n) text += ", " + before;
    text += "]\n";
  }
  EXPECT_EQ(PlaceOf(kTooMuch, text).substr(0, 2), "f:");
}

TEST(YamlDocumentTest, AliasesOfALongTextDoNotFillTheMemory) {
  std::string text = "a: &a " + std::string(100'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 1000; ++i) text += ", *a";
  EXPECT_EQ(PlaceOf(kTooMuch, text + "]\n").substr(0, 4), "f:2:");
}

TEST(YamlDocumentTest, AnchorsAroundAnchorsDoNotFillTheMemory) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "&a [";
  for (int i = 0; i < 20'000; ++i) text += "x,";
  text += std::string(60, ']');
  EXPECT_EQ(PlaceOf(kTooMuch, text).substr(0, 4), "f:1:");
}

TEST(YamlDocumentTest, SomeAliasesOfALargeTableAreAllRight) {
  std::string text = "a: &a\n";
  for (int i = 0; i < 1000; ++i) text += "  k" + std::to_string(i) + ": v\n";
  EXPECT_EQ(YamlTree(text + "b: *a\nc: [*a, *a, *a]\n").substr(0, 3), "1:1");
}

TEST(YamlDocumentTest, NestsToALimit) {
  const std::string most = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(YamlTree(most).substr(0, 11), "1:1[1:2[1:3");
  EXPECT_EQ(PlaceOf(kTooDeep, '[' + most + ']'), "f:1:65: ");
  EXPECT_EQ(PlaceOf(kTooDeep, std::string(100'000, '[')).substr(0, 4), "f:1:");
}

TEST(YamlDocumentTest, AliasesNestToTheSameLimit) {
  const std::string scalar =
      std::string(64, '[') + "&a x, *a" + std::string(64, ']');
  EXPECT_EQ(YamlTree(scalar).substr(0, 3), "1:1");
  const std::string half = std::string(32, '[') + std::string(32, ']');
  const std::string text = "[&a " + half + ",\n";
  EXPECT_EQ(YamlTree(text + std::string(31, '[') + "*a" + std::string(32, ']'))
                .substr(0, 3),
            "1:1");
  EXPECT_EQ(PlaceOf(kTooDeep,
                    text + std::string(32, '[') + "*a" + std::string(33, ']')),
            "f:2:33: ");
}

}  // namespace
}  // namespace echo_exporter
