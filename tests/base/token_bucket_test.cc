#include "src/base/token_bucket.h"

#include <gtest/gtest.h>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Nanoseconds kNow{0};

TEST(TokenBucketTest, GivesABurstAndThenOneAnInterval) {
  TokenBucket bucket(seconds(1), 3);
  SteadyTime now(hours(1));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Take(now), kNow) << i;
  EXPECT_EQ(bucket.Take(now), seconds(1));
  now += milliseconds(400);
  EXPECT_EQ(bucket.Take(now), milliseconds(600));
  now += milliseconds(600);
  EXPECT_EQ(bucket.Take(now), kNow);
  EXPECT_EQ(bucket.Take(now), seconds(1));
}

TEST(TokenBucketTest, HoldsNoMoreThanTheBurst) {
  TokenBucket bucket(seconds(1), 2);
  SteadyTime now(hours(1));
  EXPECT_EQ(bucket.Take(now), kNow);
  now += hours(100);
  EXPECT_EQ(bucket.Take(now), kNow);
  EXPECT_EQ(bucket.Take(now), kNow);
  EXPECT_EQ(bucket.Take(now), seconds(1));
}

TEST(TokenBucketTest, TakesNothingForWhatItRefuses) {
  TokenBucket bucket(seconds(1), 1);
  SteadyTime now(hours(1));
  EXPECT_EQ(bucket.Take(now), kNow);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bucket.Take(now), seconds(1));
  now += seconds(1);
  EXPECT_EQ(bucket.Take(now), kNow);
}

}  // namespace
}  // namespace echo_exporter
