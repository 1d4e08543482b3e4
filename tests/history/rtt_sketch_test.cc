#include "src/history/rtt_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

double ErrorOf(double seen, Nanoseconds real) {
  return std::abs(seen / std::chrono::duration<double>(real).count() - 1);
}

TEST(RttSketchTest, ACodeIsWithinOnePercentOfItsTime) {
  for (Nanoseconds rtt = microseconds(1); rtt < seconds(60);
       rtt = rtt * 1001 / 1000 + Nanoseconds(1)) {
    ASSERT_LT(ErrorOf(*SecondsOf(RttCodeOf(rtt)), rtt), 0.01) << rtt.count();
  }
}

TEST(RttSketchTest, EachTimeHasACode) {
  EXPECT_EQ(RttCodeOf(Nanoseconds(0)), 1);
  EXPECT_EQ(RttCodeOf(microseconds(1)), 1);
  EXPECT_LT(RttCodeOf(seconds(60)), kMostRttCode);
  EXPECT_EQ(RttCodeOf(seconds(1000)), kMostRttCode);
  EXPECT_FALSE(SecondsOf(0));
}

TEST(RttSketchTest, QuantilesAreThoseOfTheSortedTimes) {
  RttSketch sketch;
  EXPECT_EQ(sketch.Quantile(0.5), 0);
  // In no order: 1 .. 1.999 ms.
  for (int i = 0; i < 1000; ++i) {
    sketch.Add(RttCodeOf(microseconds(1000 + i * 7 % 1000)));
  }
  EXPECT_EQ(sketch.count(), 1000U);
  EXPECT_LT(ErrorOf(*SecondsOf(sketch.Quantile(0)), microseconds(1000)), 0.01);
  EXPECT_LT(ErrorOf(*SecondsOf(sketch.Quantile(0.5)), microseconds(1500)),
            0.01);
  EXPECT_LT(ErrorOf(*SecondsOf(sketch.Quantile(0.99)), microseconds(1990)),
            0.01);
  EXPECT_LT(ErrorOf(*SecondsOf(sketch.Quantile(1)), microseconds(1999)), 0.01);
}

TEST(RttSketchTest, OfTenTheHighestIsThe99thPercentile) {
  RttSketch sketch;
  for (int i = 1; i <= 10; ++i) sketch.Add(RttCodeOf(milliseconds(i)));
  EXPECT_EQ(sketch.Quantile(0.99), RttCodeOf(milliseconds(10)));
  EXPECT_EQ(sketch.Quantile(0.5), RttCodeOf(milliseconds(5)));
}

TEST(RttSketchTest, StaysSmallWithALargerErrorWhereTimesDiffer) {
  RttSketch sketch;
  std::vector<Nanoseconds> times;
  for (Nanoseconds rtt = microseconds(20); rtt < seconds(10);
       rtt = rtt * 101 / 100) {
    times.push_back(rtt);
    sketch.Add(RttCodeOf(rtt));
  }
  EXPECT_EQ(sketch.count(), times.size());
  EXPECT_LE(sketch.bytes(), RttSketch::kMost * 4 + 16);
  for (const double quantile : {0.01, 0.25, 0.5, 0.75, 0.99}) {
    const auto rank = static_cast<std::size_t>(
        std::ceil(quantile * static_cast<double>(times.size())));
    EXPECT_LT(ErrorOf(*SecondsOf(sketch.Quantile(quantile)), times[rank - 1]),
              0.15);
  }
}

TEST(RttSketchTest, GivesQuantilesOfTwoTogether) {
  RttSketch low;
  RttSketch high;
  for (int i = 0; i < 60; ++i) low.Add(RttCodeOf(milliseconds(1)));
  for (int i = 0; i < 40; ++i) high.Add(RttCodeOf(milliseconds(9)));
  EXPECT_EQ(RttSketch::Quantile({&low, &high}, 0.6),
            RttCodeOf(milliseconds(1)));
  EXPECT_EQ(RttSketch::Quantile({&high, &low}, 0.61),
            RttCodeOf(milliseconds(9)));
}

}  // namespace
}  // namespace echo_exporter
