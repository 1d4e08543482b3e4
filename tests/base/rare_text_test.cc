#include "echo_exporter/rare_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace echo_exporter {
namespace {

TEST(RareTextTest, IsTheTextAndItsCopiesHaveTheirOwn) {
  const std::string empty;
  EXPECT_TRUE(RareText().empty());
  EXPECT_TRUE(RareText(empty).empty());
  EXPECT_EQ(RareText().text(), "");
  RareText text = "eth0";
  EXPECT_FALSE(text.empty());
  const std::string& as_string = text;
  EXPECT_EQ(as_string, "eth0");
  RareText copy = text;
  EXPECT_EQ(copy, text);
  copy = "eth1";
  EXPECT_EQ(text, "eth0");
  EXPECT_FALSE(copy == text);
  copy = text;
  EXPECT_EQ(copy, "eth0");
  text = RareText();
  EXPECT_EQ(copy, "eth0");
  const RareText& itself = copy;
  copy = itself;
  EXPECT_EQ(copy, "eth0");
  const RareText moved = std::move(copy);
  EXPECT_EQ(moved, "eth0");
}

}  // namespace
}  // namespace echo_exporter
