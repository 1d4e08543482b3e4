#include "src/base/json_quote.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace echo_exporter {
namespace {

TEST(JsonQuoteTest, LeavesOrdinaryTextAlone) {
  for (const char* text :
       {"", "wan1 -> 192.0.2.1", "a=b, {c}: 'd' / e", "Z\xC3\xBCrich",
        "\xE6\x9D\xB1\xE4\xBA\xAC", "\xF0\x9F\x8C\x90", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(JsonQuote(text), '"' + std::string(text) + '"');
  }
}

TEST(JsonQuoteTest, EscapesWhatJsonGivesAMeaning) {
  EXPECT_EQ(JsonQuote("a\"b\\c"), R"("a\"b\\c")");
}

TEST(JsonQuoteTest, EscapesControlCharacters) {
  EXPECT_EQ(JsonQuote("\b\t\n\f\r"), R"("\b\t\n\f\r")");
  EXPECT_EQ(JsonQuote(std::string_view("\0\x01\x0B\x1B\x1F", 5)),
            R"("\u0000\u0001\u000b\u001b\u001f")");
  EXPECT_EQ(JsonQuote("\x7F\xC2\x80\xC2\x85\xC2\x9F"),
            R"("\u007f\u0080\u0085\u009f")");
}

TEST(JsonQuoteTest, EscapesWhatBreaksLinesOrTurnsTheDirectionOfText) {
  EXPECT_EQ(JsonQuote("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAE"),
            R"("\u2028\u2029\u202e")");
  EXPECT_EQ(JsonQuote("\xC3\xBC\xE2\x80\xA8"), "\"\xC3\xBC\\u2028\"");
}

TEST(JsonQuoteTest, ReplacesBytesThatAreNotUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(JsonQuote("\xFF"), '"' + bad + '"');
  EXPECT_EQ(JsonQuote("a\x80z"), "\"a" + bad + "z\"");
  EXPECT_EQ(JsonQuote("\xC3\""), '"' + bad + "\\\"\"");
  EXPECT_EQ(JsonQuote("\xED\xA0\x80"), '"' + bad + bad + bad + '"');
  EXPECT_EQ(JsonQuote("cut \xC3"), "\"cut " + bad + '"');
}

TEST(JsonQuoteTest, IsReadAsTheSameTextByAJsonParser) {
  std::string text;
  for (char c = 0; c < 0x7F; ++c) text += c;
  text +=
      "\x7F\xC2\x80\xC2\x9F\xC3\xBC\xE2\x80\xA8\xE2\x80\xAE\xF0\x9F\x8C\x90";
  EXPECT_EQ(nlohmann::json::parse(JsonQuote(text)), text);
}

}  // namespace
}  // namespace echo_exporter
