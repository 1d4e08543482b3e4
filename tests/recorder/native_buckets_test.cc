#include "src/recorder/native_buckets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "tests/recorder/native_counts.h"
#include "tests/support/geometric_series.h"

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr std::size_t kMany = 1000;

int IndexOf(double value, int schema) {
  NativeBuckets buckets(schema);
  EXPECT_TRUE(buckets.Add(value, kMany));
  const auto all = BucketsOf(buckets);
  return all.size() == 1 ? all[0].first : std::numeric_limits<int>::min();
}

TEST(NativeBucketsTest, TakesTheCoarsestSchemaWithinTheFactor) {
  const std::vector<std::pair<double, int>> cases = {
      {2, 0},    {1.99, 1}, {1.5, 1},    {1.2, 2},    {1.1, 3},  {1.05, 4},
      {1.02, 6}, {1.01, 7}, {65536, -4}, {1e300, -4}, {1.001, 8}};
  for (const auto& [factor, schema] : cases) {
    EXPECT_EQ(NativeBuckets::SchemaOf(factor), schema) << factor;
    if (factor < 1.01 || factor > 2) continue;
    EXPECT_LE(std::exp2(std::ldexp(1, -schema)), factor);
  }
}

TEST(NativeBucketsTest, EachBoundBelongsToItsBucket) {
  for (int schema = -4; schema <= 8; ++schema) {
    // Powers of two are exact.
    const int step = 1 << std::max(schema, 0);
    const int octaves = 1 << std::max(-schema, 0);
    for (int i = -2; i <= 2; ++i) {
      const double bound = std::ldexp(1, i * octaves);
      const int index = schema > 0 ? i * step : i;
      EXPECT_EQ(IndexOf(bound, schema), index) << schema << ' ' << i;
      EXPECT_EQ(IndexOf(std::nextafter(bound, 1e300), schema), index + 1);
      EXPECT_EQ(IndexOf(std::nextafter(bound, 0), schema), index);
    }
  }
}

TEST(NativeBucketsTest, EachValueIsWithinItsBucket) {
  for (int schema = -4; schema <= 8; ++schema) {
    for (const double value : GeometricSeries(1e-9, 1e6, 1.0371)) {
      const double upper =
          std::exp2(std::ldexp(IndexOf(value, schema), -schema));
      const double lower =
          std::exp2(std::ldexp(IndexOf(value, schema) - 1, -schema));
      EXPECT_LE(value, upper * (1 + 1e-12)) << schema;
      EXPECT_GT(value, lower * (1 - 1e-12)) << schema;
    }
  }
}

TEST(NativeBucketsTest, HoldsOnlyBucketsThatCountInTheirOrder) {
  NativeBuckets buckets(0);
  for (const double value : {8.0, 0.5, 7.0, 100.0, 0.5, 8.0}) {
    EXPECT_TRUE(buckets.Add(value, kMany));
  }
  EXPECT_THAT(BucketsOf(buckets),
              ElementsAre(Pair(-1, 2), Pair(3, 3), Pair(7, 1)));
  EXPECT_EQ(buckets.zero_count(), 0U);
}

TEST(NativeBucketsTest, CountsZeroApart) {
  NativeBuckets buckets(3);
  EXPECT_TRUE(buckets.Add(0, kMany));
  EXPECT_TRUE(buckets.Add(0x1p-128, kMany));
  EXPECT_EQ(buckets.zero_count(), 2U);
  EXPECT_EQ(buckets.zero_threshold(), 0x1p-128);
  EXPECT_EQ(buckets.size(), 0U);
}

TEST(NativeBucketsTest, TakesNoMoreThanTheMost) {
  NativeBuckets buckets(0);
  EXPECT_TRUE(buckets.Add(1, 2));
  EXPECT_TRUE(buckets.Add(2, 2));
  EXPECT_FALSE(buckets.Add(4, 2));
  EXPECT_TRUE(buckets.Add(2, 2));
  EXPECT_THAT(BucketsOf(buckets), ElementsAre(Pair(0, 1), Pair(1, 2)));
}

TEST(NativeBucketsTest, HalvesAsIfItHadAlwaysBeenSo) {
  for (int schema = 8; schema > -4; --schema) {
    NativeBuckets fine(schema);
    NativeBuckets coarse(schema - 1);
    for (const double value : GeometricSeries(1e-6, 100, 1.37)) {
      for (const double v : {value, value * 1.001, 0x1p-3}) {
        fine.Add(v, kMany);
        coarse.Add(v, kMany);
      }
    }
    EXPECT_TRUE(fine.Halve());
    EXPECT_EQ(fine.schema(), schema - 1);
    EXPECT_EQ(BucketsOf(fine), BucketsOf(coarse)) << schema;
  }
  EXPECT_FALSE(NativeBuckets(NativeBuckets::kCoarsest).Halve());
}

TEST(NativeBucketsTest, WidensTheZeroBucketUpToALimit) {
  NativeBuckets buckets(0);
  for (const double value : {0.25, 0.25, 0.5, 1.0}) buckets.Add(value, kMany);
  EXPECT_FALSE(buckets.WidenZero(0.2));
  EXPECT_FALSE(buckets.widened());
  EXPECT_TRUE(buckets.WidenZero(0.25));
  EXPECT_TRUE(buckets.widened());
  EXPECT_EQ(buckets.zero_threshold(), 0.25);
  EXPECT_EQ(buckets.zero_count(), 2U);
  EXPECT_TRUE(buckets.Add(0.2, kMany));
  EXPECT_EQ(buckets.zero_count(), 3U);
  EXPECT_THAT(BucketsOf(buckets), ElementsAre(Pair(-1, 1), Pair(0, 1)));
  buckets.Reset(2);
  EXPECT_EQ(buckets.zero_threshold(), 0x1p-128);
  EXPECT_EQ(buckets.zero_count(), 0U);
  EXPECT_EQ(buckets.schema(), 2);
  EXPECT_EQ(buckets.size(), 0U);
  EXPECT_FALSE(buckets.WidenZero(1));
}

TEST(NativeBucketsTest, TheCoarsestSchemaAlwaysHasRoom) {
  NativeBuckets buckets(NativeBuckets::kCoarsest);
  for (const double value : GeometricSeries(1e-9, 1e10, 1.5)) {
    EXPECT_TRUE(buckets.Add(value, NativeBuckets::kAlways));
  }
  NativeBuckets of_numbers(NativeBuckets::kCoarsest);
  for (const double value : GeometricSeries(1, 0x1p63, 1.5)) {
    EXPECT_TRUE(of_numbers.Add(value, NativeBuckets::kAlways));
  }
}

}  // namespace
}  // namespace echo_exporter
