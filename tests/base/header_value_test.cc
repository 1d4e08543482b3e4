#include "src/base/header_value.h"

#include <gtest/gtest.h>

namespace echo_exporter {
namespace {

TEST(HeaderValueTest, TakesTrimmedPieces) {
  std::string_view text = " a ;\tb c;;";
  EXPECT_EQ(TakeUntil(';', &text), "a");
  EXPECT_EQ(TakeUntil(';', &text), "b c");
  EXPECT_EQ(TakeUntil(';', &text), "");
  EXPECT_EQ(text, "");
  EXPECT_EQ(TakeUntil(';', &text), "");
}

TEST(HeaderValueTest, LeavesSeparatorsInQuotedStrings) {
  std::string_view text = R"( a;x="1,\"2,3" , b="unended,)";
  EXPECT_EQ(TakeElement(',', &text), R"(a;x="1,\"2,3")");
  EXPECT_EQ(TakeElement(',', &text), R"(b="unended,)");
  EXPECT_EQ(text, "");
  text = "\"\\";
  EXPECT_EQ(TakeElement(',', &text), "\"\\");
}

TEST(HeaderValueTest, FindsAllHeadersWithAName) {
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"a", "1"}, {"B", "2"}, {"A", "3"}};
  EXPECT_EQ(ValuesOf(headers, "A"), (std::vector<std::string_view>{"1", "3"}));
  EXPECT_TRUE(ValuesOf(headers, "c").empty());
}

TEST(HeaderValueTest, FindsATokenOfAListInAnyCase) {
  for (const char* list :
       {"close", "Close", " CLOSE ", "TE, close", "close,TE", "a,,close"}) {
    EXPECT_TRUE(ListHasToken(list, "close")) << list;
  }
  for (const char* list :
       {"", ",", "closed", "clos", "not close", "\"close\""}) {
    EXPECT_FALSE(ListHasToken(list, "close")) << list;
  }
}

}  // namespace
}  // namespace echo_exporter
