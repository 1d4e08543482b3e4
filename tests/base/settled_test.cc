#include "src/base/settled.h"

#include <gtest/gtest.h>

namespace echo_exporter {
namespace {

TEST(SettledTest, TakesWhatTwoLooksInARowHaveSeen) {
  Settled<int> value(1);
  EXPECT_FALSE(value.Look(1));
  EXPECT_FALSE(value.unsettled());
  EXPECT_FALSE(value.Look(2));
  EXPECT_TRUE(value.unsettled());
  EXPECT_EQ(value.seen(), 1);
  EXPECT_TRUE(value.Look(2));
  EXPECT_FALSE(value.unsettled());
  EXPECT_EQ(value.seen(), 2);
  EXPECT_FALSE(value.Look(2));
}

TEST(SettledTest, BeginsAgainWithEachOtherState) {
  Settled<int> value(1);
  for (const int now : {2, 3, 2, 1, 2}) EXPECT_FALSE(value.Look(now)) << now;
  EXPECT_TRUE(value.Look(2));
}

TEST(SettledTest, ForgetsAndMarksAsSeen) {
  Settled<int> value(1);
  value.Forget();
  EXPECT_FALSE(value.Look(1));
  EXPECT_TRUE(value.Look(1));
  EXPECT_FALSE(value.Look(2));
  value.MarkSeen(2);
  EXPECT_FALSE(value.unsettled());
  EXPECT_FALSE(value.Look(2));
}

}  // namespace
}  // namespace echo_exporter
