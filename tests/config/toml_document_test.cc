#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "src/config/document.h"
#include "tests/config/document_text.h"

namespace echo_exporter {
namespace {

std::string TomlTree(std::string_view text) {
  return ParseToText(ParseToml, text);
}

TEST(TomlDocumentTest, ReadsEveryKindOfValueWithItsPosition) {
  EXPECT_EQ(TomlTree("a = [1, -2, 0.5, true, \"x\"]\n"
                     "b = 2026-01-02\n"
                     "[c]\n"
                     "d.e = { f = 'g' }\n"),
            "1:1{a@1:1=1:5[1:6 1, 1:9 -2, 1:13 float 0.5, 1:18 true, "
            "1:24 \"x\"], b@2:1=2:5 date, "
            "c@3:2=3:1{d@4:1=4:1{e@4:3=4:7{f@4:9=4:13 \"g\"}}}}");
}

TEST(TomlDocumentTest, ReadsTablesOfAnArray) {
  EXPECT_EQ(TomlTree("[[a]]\nb = 1\n[[a]]\n"),
            "1:1{a@1:3=1:1[1:1{b@2:1=2:5 1}, 3:1{}]}");
}

TEST(TomlDocumentTest, SaysWhatIsNotTomlAndWhere) {
  EXPECT_EQ(TomlTree("a = 1\na = 2\n"),
            "f:2:5: not valid TOML: Error while parsing key-value pair: cannot "
            "redefine existing integer 'a'");
}

TEST(TomlDocumentTest, NestsToALimit) {
  // The root is a level, and the last of the keys has no table of its own.
  std::string key = "a";
  for (int i = 1; i < 64; ++i) key += ".a";
  EXPECT_EQ(TomlTree(key + " = 1").substr(0, 7), "1:1{a@1");
  EXPECT_EQ(TomlTree(key + ".a = 1"),
            "f:1:127: not valid TOML: nested more than 64 levels deep");
}

}  // namespace
}  // namespace echo_exporter
