#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "src/config/document.h"
#include "tests/config/document_text.h"

namespace echo_exporter {
namespace {

std::string JsonTree(std::string_view text) {
  return ParseToText(
      [](auto t, Findings& findings) { return ParseJson(t, findings); }, text);
}

/// A text, and the only error in it.
struct Malformed {
  std::string text;
  std::string_view error;
};

void ExpectErrors(const std::vector<Malformed>& cases) {
  for (const auto& [text, error] : cases) {
    EXPECT_EQ(JsonTree(text), "f:" + std::string(error)) << text;
  }
}

TEST(JsonDocumentTest, ReadsEveryKindOfValue) {
  EXPECT_EQ(
      JsonTree("{\"a\": [1, -2, 0.5, 1e3, true, false, null, \"x\", {}, []]}"),
      "1:1{a@1:2=1:7[1:8 1, 1:11 -2, 1:15 float 0.5, 1:20 float 1000, "
      "1:25 true, 1:31 false, 1:38 null, 1:44 \"x\", 1:49{}, 1:53[]]}");
  EXPECT_EQ(JsonTree("7"), "1:1 7");
  EXPECT_EQ(JsonTree(" \"x\" "), "1:2 \"x\"");
  EXPECT_EQ(JsonTree("\tnull\r\n"), "1:2 null");
}

TEST(JsonDocumentTest, KnowsWhereEveryTokenIs) {
  EXPECT_EQ(JsonTree("[1,2 ,3\n,4,\n5]"),
            "1:1[1:2 1, 1:4 2, 1:7 3, 2:2 4, 3:1 5]");
  EXPECT_EQ(JsonTree("[[1],[2],{\"a\":3},4]"),
            "1:1[1:2[1:3 1], 1:6[1:7 2], 1:10{a@1:11=1:15 3}, 1:18 4]");
  EXPECT_EQ(JsonTree("{\r\n  \"a\"\r\n:\r\n1 , \"b\"  :  true\r\n}\r\n"),
            "1:1{a@2:3=4:1 1, b@4:5=4:13 true}");
  EXPECT_EQ(JsonTree("[{},{} ,[],\n\t[ ]]"), "1:1[1:2{}, 1:5{}, 1:9[], 2:2[]]");
}

TEST(JsonDocumentTest, HoldsNoMoreValuesThanItMay) {
  const auto parse = [](std::string_view text, Findings& findings) {
    return ParseJson(text, findings, 5);  // keys and lists are among them
  };
  EXPECT_EQ(ParseToText(parse, "{\"a\":[1,2]}"),
            "1:1{a@1:2=1:6[1:7 1, 1:9 2]}");
  EXPECT_EQ(ParseToText(parse, "{\"a\":[1,2,3]}"),
            "f:1:1: not valid JSON: more than 5 values");
  EXPECT_EQ(ParseToText(parse, "[0,0,0,\n0,0,0]"),
            "f:2:5: not valid JSON: more than 5 values");
}

TEST(JsonDocumentTest, KeepsTheOrderOfKeys) {
  EXPECT_EQ(JsonTree("{\"b\":1,\"a\":2}"), "1:1{b@1:2=1:6 1, a@1:8=1:12 2}");
}

TEST(JsonDocumentTest, CountsColumnsInCharacters) {
  EXPECT_EQ(JsonTree("[\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\",1]"),
            "1:1[1:2 \"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\", 1:8 1]");
  EXPECT_EQ(JsonTree("[\"\\\"\\\\\\u00fc,:\",1]"),
            "1:1[1:2 \"\"\\\xc3\xbc,:\", 1:17 1]");
}

TEST(JsonDocumentTest, SkipsAByteOrderMark) {
  EXPECT_EQ(JsonTree("\xef\xbb\xbf[1]"), "1:1[1:2 1]");
  EXPECT_EQ(JsonTree("\xef\xbb\xbf[1"),
            "f:1:3: not valid JSON: unexpected end of input; expected ']'");
  EXPECT_EQ(JsonTree("\xef\xbb[1]"),
            "f:1:2: not valid JSON: invalid BOM; must be 0xEF 0xBB 0xBF if "
            "given");
}

TEST(JsonDocumentTest, DecodesEscapes) {
  EXPECT_EQ(JsonTree(R"("\"\\\/\b\f\n\r\t\u0041\u00fc\u20AC")"),
            "1:1 \"\"\\/\b\f\n\r\tA\xc3\xbc\xe2\x82\xac\"");
  EXPECT_EQ(JsonTree(R"("\ud83d\uDE00 \udbff\udfff")"),
            "1:1 \"\xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf\"");
  EXPECT_EQ(JsonTree(R"("\u0000")"), std::string("1:1 \"\0\"", 7));
}

TEST(JsonDocumentTest, RejectsOtherEscapes) {
  constexpr std::string_view kPair =
      "not valid JSON: invalid string: surrogate U+D800..U+DBFF must be "
      "followed by U+DC00..U+DFFF";
  for (const char* const text : {R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\n")",
                                 R"("\ud83d\u0041")", R"("\ud83d\ud83d")"}) {
    EXPECT_NE(JsonTree(text).find(kPair), std::string::npos) << JsonTree(text);
  }
  ExpectErrors({
      {R"("\ude00")",
       "1:7: not valid JSON: invalid string: surrogate U+DC00..U+DFFF must "
       "follow U+D800..U+DBFF"},
      {R"("\x41")",
       "1:3: not valid JSON: invalid string: forbidden character after "
       "backslash"},
      {R"("\u12g4")",
       "1:6: not valid JSON: invalid string: '\\u' must be followed by 4 hex "
       "digits"},
  });
}

TEST(JsonDocumentTest, ReadsNumbers) {
  EXPECT_EQ(JsonTree("[9223372036854775807,-9223372036854775808]"),
            "1:1[1:2 9223372036854775807, 1:22 -9223372036854775808]");
  EXPECT_EQ(JsonTree("[9223372036854775808,18446744073709551616]"),
            "1:1[1:2 float 9223372036854775808, "
            "1:22 float 18446744073709551616]");
  EXPECT_EQ(JsonTree("[0,-0,0.0,1E+2,1e-400]"),
            "1:1[1:2 0, 1:4 0, 1:7 float 0, 1:11 float 100, 1:16 float 0]");
  ExpectErrors({
      {"[1, 1e999]", "1:5: not valid JSON: a number is too large"},
      {"[-1e999]", "1:2: not valid JSON: a number is too large"},
  });
}

TEST(JsonDocumentTest, SaysWhereATextIsCutShort) {
  ExpectErrors({
      {"", "1:1: not valid JSON: it is empty"},
      {" \n ",
       "2:2: not valid JSON: unexpected end of input; expected '[', '{', or a "
       "literal"},
      {"[",
       "1:2: not valid JSON: unexpected end of input; expected '[', '{', or a "
       "literal"},
      {"[1", "1:3: not valid JSON: unexpected end of input; expected ']'"},
      {"[1,",
       "1:4: not valid JSON: unexpected end of input; expected '[', '{', or a "
       "literal"},
      {"{",
       "1:2: not valid JSON: unexpected end of input; expected string literal"},
      {"{\"a\"", "1:5: not valid JSON: unexpected end of input; expected ':'"},
      {"{\"a\":",
       "1:6: not valid JSON: unexpected end of input; expected '[', '{', or a "
       "literal"},
      {"{\"a\":1",
       "1:7: not valid JSON: unexpected end of input; expected '}'"},
      {"{\"a\":1,",
       "1:8: not valid JSON: unexpected end of input; expected string literal"},
      {"\"a", "1:3: not valid JSON: invalid string: missing closing quote"},
      {"\"a\\",
       "1:4: not valid JSON: invalid string: forbidden character after "
       "backslash"},
      {"\"\\u12",
       "1:6: not valid JSON: invalid string: '\\u' must be followed by 4 hex "
       "digits"},
      {"tru", "1:4: not valid JSON: invalid literal"},
      {"-", "1:2: not valid JSON: invalid number; expected digit after '-'"},
      {"1.", "1:3: not valid JSON: invalid number; expected digit after '.'"},
      {"1e",
       "1:3: not valid JSON: invalid number; expected '+', '-', or digit after "
       "exponent"},
  });
}

TEST(JsonDocumentTest, SaysWhatStandsInTheWrongPlace) {
  ExpectErrors({
      {"[1]]", "1:4: not valid JSON: unexpected ']'; expected end of input"},
      {"{}{}", "1:3: not valid JSON: unexpected '{'; expected end of input"},
      {"1 2",
       "1:3: not valid JSON: unexpected number literal; expected end of input"},
      {"[] \"\\u0041b\"",
       "1:4: not valid JSON: unexpected string literal; expected end of input"},
      {"[1,]",
       "1:4: not valid JSON: unexpected ']'; expected '[', '{', or a literal"},
      {"[,1]",
       "1:2: not valid JSON: unexpected ','; expected '[', '{', or a literal"},
      {"[1,,2]",
       "1:4: not valid JSON: unexpected ','; expected '[', '{', or a literal"},
      {"[1 2]", "1:4: not valid JSON: unexpected number literal; expected ']'"},
      {"[1\"x\"]",
       "1:3: not valid JSON: unexpected string literal; expected ']'"},
      {"[\"a\"\n\"b\"]",
       "2:1: not valid JSON: unexpected string literal; expected ']'"},
      {"{\"a\":1,}",
       "1:8: not valid JSON: unexpected '}'; expected string literal"},
      {"{,}", "1:2: not valid JSON: unexpected ','; expected string literal"},
      {"{\"a\" 1}",
       "1:6: not valid JSON: unexpected number literal; expected ':'"},
      {"{\"a\":}",
       "1:6: not valid JSON: unexpected '}'; expected '[', '{', or a literal"},
      {"{\"a\"::1}",
       "1:6: not valid JSON: unexpected ':'; expected '[', '{', or a literal"},
      {"{\"a\":1 \"b\":2}",
       "1:8: not valid JSON: unexpected string literal; expected '}'"},
      {"{1:2}",
       "1:2: not valid JSON: unexpected number literal; expected string "
       "literal"},
      {"{null:1}",
       "1:2: not valid JSON: unexpected null literal; expected string literal"},
      {"[1}", "1:3: not valid JSON: unexpected '}'; expected ']'"},
      {"{]", "1:2: not valid JSON: unexpected ']'; expected string literal"},
      {"{\"a\":1]", "1:7: not valid JSON: unexpected ']'; expected '}'"},
      {"]",
       "1:1: not valid JSON: unexpected ']'; expected '[', '{', or a literal"},
      {":",
       "1:1: not valid JSON: unexpected ':'; expected '[', '{', or a literal"},
  });
}

TEST(JsonDocumentTest, KnowsNoExtension) {
  ExpectErrors({
      {"// c\n1", "1:1: not valid JSON: invalid literal"},
      {"[1 /* c */]", "1:4: not valid JSON: invalid literal"},
      {"[1]#c", "1:4: not valid JSON: invalid literal"},
      {"{'a':1}", "1:2: not valid JSON: invalid literal"},
      {"{a:1}", "1:2: not valid JSON: invalid literal"},
      {"[] x", "1:4: not valid JSON: invalid literal"},
      {"True", "1:1: not valid JSON: invalid literal"},
      {"nulll", "1:5: not valid JSON: invalid literal"},
      {"NaN", "1:1: not valid JSON: invalid literal"},
      {"[Infinity]", "1:2: not valid JSON: invalid literal"},
      {"[\v1]", "1:2: not valid JSON: invalid literal"},
      {"[\x01]", "1:2: not valid JSON: invalid literal"},
      {"[\xc2\xa0]", "1:2: not valid JSON: invalid literal"},
      {"[\n  1,\n  \xc3\xbc\n]", "3:3: not valid JSON: invalid literal"},
      {"[\"\xc3\xbc\", ?]", "1:7: not valid JSON: invalid literal"},
  });
}

TEST(JsonDocumentTest, TakesNumbersAsTheStandardWritesThem) {
  ExpectErrors({
      {"[-Infinity]",
       "1:3: not valid JSON: invalid number; expected digit after '-'"},
      {"[--1]",
       "1:3: not valid JSON: invalid number; expected digit after '-'"},
      {"[01]", "1:2: not valid JSON: unexpected number literal; expected ']'"},
      {"[+1]", "1:2: not valid JSON: invalid literal"},
      {"[.5]", "1:2: not valid JSON: invalid literal"},
      {"[1.]", "1:4: not valid JSON: invalid number; expected digit after '.'"},
      {"[1e+]",
       "1:5: not valid JSON: invalid number; expected digit after exponent "
       "sign"},
      {"[0x10]", "1:3: not valid JSON: invalid literal"},
      {"[1_000]", "1:3: not valid JSON: invalid literal"},
      {"[1true]", "1:2: not valid JSON: unexpected true literal; expected ']'"},
  });
}

TEST(JsonDocumentTest, TakesNoControlCharactersInStrings) {
  ExpectErrors({
      {"\"a\nb\"",
       "1:3: not valid JSON: invalid string: control character U+000A (LF) "
       "must be escaped to \\u000A or \\n"},
      {"[\"\t\"]",
       "1:3: not valid JSON: invalid string: control character U+0009 (HT) "
       "must be escaped to \\u0009 or \\t"},
  });
}

TEST(JsonDocumentTest, TakesWellFormedUtf8Only) {
  ExpectErrors({
      {"[\"\x80\"]",
       "1:3: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xc0\x80\"]",
       "1:3: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xc3\"]",
       "1:4: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xe0\x80\x80\"]",
       "1:3: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xed\xa0\x80\"]",
       "1:3: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xf4\x90\x80\x80\"]",
       "1:3: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xf5\x80\x80\x80\"]",
       "1:3: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"[\"\xe2\x82\"]",
       "1:4: not valid JSON: invalid string: ill-formed UTF-8 byte"},
      {"\"\xff\"",
       "1:2: not valid JSON: invalid string: ill-formed UTF-8 byte"},
  });
}

TEST(JsonDocumentTest, TakesNoNulCharacter) {
  using namespace std::literals;
  ExpectErrors({
      {std::string("{}\0x"sv), "1:3: not valid JSON: a NUL character"},
      {std::string("{}\0"sv), "1:3: not valid JSON: a NUL character"},
      {std::string("[\n\"\0\"]"sv), "2:2: not valid JSON: a NUL character"},
  });
}

TEST(JsonDocumentTest, ReportsEveryKeyThatIsThereTwice) {
  EXPECT_EQ(
      JsonTree("{\"a\":{\"x\":1,\n\"x\":2},\"b\":1,\"\\u0061\":2,\"b\":[]}"),
      "f:2:1: key \"x\" is a duplicate; first on line 1\n"
      "f:2:14: key \"a\" is a duplicate; first on line 1\n"
      "f:2:25: key \"b\" is a duplicate; first on line 2");
  EXPECT_EQ(JsonTree("[{\"a\":1},{\"a\":2}]"),
            "1:1[1:2{a@1:3=1:7 1}, 1:10{a@1:11=1:15 2}]");
  EXPECT_EQ(JsonTree("{\"a\\n\":1,\"a\\n\":2}"),
            "f:1:10: key \"a\\u000a\" is a duplicate; first on line 1");
}

TEST(JsonDocumentTest, NestsToALimit) {
  const std::string most = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(JsonTree(most).substr(0, 11), "1:1[1:2[1:3");
  ExpectErrors({
      {'[' + most + ']',
       "1:65: not valid JSON: nested more than 64 levels deep"},
      {std::string(1'000'000, '['),
       "1:65: not valid JSON: nested more than 64 levels deep"},
  });
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += "{\"a\":";
  ExpectErrors(
      {{objects, "1:321: not valid JSON: nested more than 64 levels deep"}});
}

}  // namespace
}  // namespace echo_exporter
