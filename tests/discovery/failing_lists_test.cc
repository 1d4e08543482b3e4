#include "src/discovery/failing_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class FailingListsTest : public testing::Test {
 protected:
  std::vector<std::string> lines_;
  FailingLists failing_{[this](LogLevel, std::string_view message,
                               std::initializer_list<LogField>) {
    lines_.emplace_back(message);
  }};
  const int one_ = 0;
  const int other_ = 0;
};

TEST_F(FailingListsTest, TellsWhenOneBeginsToFailAndWhenNoneDoes) {
  failing_.End(&one_, "a.json");
  failing_.Report(&one_, "a.json", "bad");
  for (int i = 0; i < 3; ++i) {
    failing_.End(&other_, "a.json");
    failing_.Report(&one_, "a.json", "bad");
  }
  failing_.Report(&other_, "a.json", "worse");
  failing_.End(&one_, "a.json");
  EXPECT_THAT(lines_, ElementsAre(StartsWith("target list unusable")));
  failing_.End(&other_, "a.json");
  EXPECT_THAT(lines_, ElementsAre(StartsWith("target list unusable"),
                                  "target list usable again"));
}

TEST_F(FailingListsTest, WhatIsForgottenHasNoEnd) {
  failing_.Report(&one_, "a.json", "bad");
  failing_.Forget(&one_, "a.json");
  failing_.End(&one_, "a.json");
  EXPECT_THAT(lines_, ElementsAre(StartsWith("target list unusable")));
  // It is told of anew.
  failing_.Report(&one_, "a.json", "bad");
  EXPECT_EQ(lines_.size(), 2U);
}

}  // namespace
}  // namespace echo_exporter
