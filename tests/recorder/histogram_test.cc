#include "src/recorder/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/support/geometric_series.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

class SteppedClock : public Clock {
 public:
  SteadyTime Now() const override { return {}; }
  WallTime WallNow() const override { return now; }

  WallTime now{hours(480'000)};
};

std::uint64_t NativeCount(const Histogram& histogram) {
  std::uint64_t sum = histogram.native().zero_count();
  histogram.native().ForEach(
      [&sum](int, std::uint64_t count) { sum += count; });
  return sum;
}

std::uint64_t Sum(std::span<const std::uint64_t> counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

TEST(HistogramShapeTest, HoldsAValueEqualToABound) {
  // The default bounds, none of which has an exact binary form.
  std::vector<double> bounds;
  for (int i = 0; i < 20; ++i) bounds.push_back(0.00005 * (1 << i));
  const auto shape = HistogramShape::OfTimes(bounds, {});
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const std::uint64_t bound = std::uint64_t{50'000} << i;
    EXPECT_EQ(shape.IndexOf(bound - 1), i);
    EXPECT_EQ(shape.IndexOf(bound), i);
    EXPECT_EQ(shape.IndexOf(bound + 1), i + 1);
  }
}

TEST(HistogramShapeTest, RoundsBoundsToTheNearestUnit) {
  // In binary a little less than 1.005 s.
  EXPECT_EQ(HistogramShape::OfTimes({1.005}, {}).IndexOf(1'005'000'000), 0U);
}

TEST(HistogramShapeTest, TakesBoundsBeyondTheLongestDuration) {
  const auto shape = HistogramShape::OfTimes({1, 1e10, 1e300}, {});
  EXPECT_EQ(shape.IndexOf(2'000'000'000), 1U);
}

class HistogramTest : public testing::Test {
 protected:
  /// Values that need many buckets: each 2% above the one before.
  void ObserveMany(Histogram& histogram, const HistogramShape& shape,
                   double from, double to) {
    for (const double value : GeometricSeries(from, to, 1.02)) {
      ++observed_;
      histogram.Observe(static_cast<std::uint64_t>(value * shape.units()),
                        shape, clock_);
      EXPECT_LE(histogram.native().size(), shape.max_buckets());
    }
  }

  SteppedClock clock_;
  std::uint64_t observed_ = 0;
  const HistogramOptions options_{
      .rtt_buckets = {}, .native_factor = 1.1, .native_max_buckets = 20};
};

TEST_F(HistogramTest, CountsInBothKindsOfBuckets) {
  const auto shape = HistogramShape::OfTimes({0.001, 0.1}, options_);
  Histogram histogram(shape, clock_.now);
  for (const std::uint64_t ms : {1, 1, 50, 500}) {
    histogram.Observe(ms * 1'000'000, shape, clock_);
  }
  EXPECT_EQ(histogram.counts(), (std::vector<std::uint64_t>{2, 1, 1}));
  EXPECT_EQ(histogram.sum(), 552'000'000U);
  EXPECT_EQ(NativeCount(histogram), 4U);
  EXPECT_EQ(histogram.native().size(), 3U);
}

TEST_F(HistogramTest, HalfASecondIsNotAboveItsBound) {
  const auto shape = HistogramShape::OfTimes({}, options_);
  Histogram histogram(shape, clock_.now);
  histogram.Observe(500'000'000, shape, clock_);
  histogram.native().ForEach(
      [](int index, std::uint64_t) { EXPECT_EQ(index, -8); });
}

TEST_F(HistogramTest, HasNoNativeBucketsWhereTheyAreOff) {
  const HistogramShape shape = HistogramShape::OfTimes(
      {1}, {.rtt_buckets = {}, .native_factor = std::nullopt});
  Histogram histogram(shape, clock_.now);
  histogram.Observe(1, shape, clock_);
  EXPECT_EQ(histogram.Value(shape, 0.0).native, nullptr);
  EXPECT_EQ(histogram.native().size(), 0U);
}

TEST_F(HistogramTest, HalvesTheResolutionWhenItIsTooEarlyToBeginAgain) {
  const auto shape = HistogramShape::OfTimes({1}, options_);
  Histogram histogram(shape, clock_.now);
  clock_.now += minutes(59);
  ObserveMany(histogram, shape, 0.001, 10);
  EXPECT_LT(histogram.native().schema(), 3);
  EXPECT_FALSE(histogram.native().widened());
  EXPECT_EQ(NativeCount(histogram), observed_);
  EXPECT_EQ(Sum(histogram.counts()), observed_);
  EXPECT_EQ(histogram.since(), WallTime(hours(480'000)));
}

TEST_F(HistogramTest, WidensTheZeroBucketFirst) {
  const auto shape = HistogramShape::OfTimes({1}, options_);
  Histogram histogram(shape, clock_.now);
  ObserveMany(histogram, shape, 1e-7, 9e-7);
  EXPECT_TRUE(histogram.native().widened());
  EXPECT_LE(histogram.native().zero_threshold(), 0x1p-20);
  EXPECT_EQ(histogram.native().schema(), 3);
  EXPECT_EQ(NativeCount(histogram), observed_);
}

TEST_F(HistogramTest, BeginsAgainAfterAnHourWhenThereAreTooMany) {
  const auto shape = HistogramShape::OfTimes({0.01, 1}, options_);
  Histogram histogram(shape, clock_.now);
  ObserveMany(histogram, shape, 0.001, 0.004);
  const std::uint64_t before = observed_;
  const std::uint64_t sum_before = histogram.sum();
  clock_.now += hours(1);
  ObserveMany(histogram, shape, 1, 2);  // 160 ms .. fits: 8 more buckets
  EXPECT_EQ(histogram.since(), clock_.now);
  EXPECT_EQ(histogram.native().schema(), 3);
  // All in the classic buckets, and the rest in the native ones.
  EXPECT_EQ(Sum(histogram.counts()), observed_);
  const HistogramValue value = histogram.Value(shape, 0.0);
  const std::uint64_t counted_before = Sum(value.counts_before);
  EXPECT_GE(counted_before, before);
  EXPECT_EQ(NativeCount(histogram), observed_ - counted_before);
  EXPECT_GE(value.sum_before, static_cast<double>(sum_before) / 1e9);
}

TEST_F(HistogramTest, BeginsAgainAsSoonAsItMayOnceItIsCoarse) {
  const auto shape = HistogramShape::OfTimes({1}, options_);
  Histogram histogram(shape, clock_.now);
  ObserveMany(histogram, shape, 0.001, 10);
  ASSERT_LT(histogram.native().schema(), 3);
  clock_.now += hours(1);
  histogram.Observe(1'000'000, shape, clock_);
  EXPECT_EQ(histogram.native().schema(), 3);
  EXPECT_EQ(NativeCount(histogram), 1U);
  EXPECT_EQ(histogram.since(), clock_.now);
}

TEST_F(HistogramTest, NeverBeginsAgainWhereThatIsForbidden) {
  const HistogramShape shape({1, 2}, 1, options_, {});
  Histogram histogram(shape, clock_.now);
  clock_.now += hours(100);
  ObserveMany(histogram, shape, 1, 1e6);
  EXPECT_LT(histogram.native().schema(), 3);
  clock_.now += hours(100);
  histogram.Observe(1, shape, clock_);
  EXPECT_EQ(NativeCount(histogram), observed_ + 1);
  EXPECT_FALSE(histogram.native().widened());
}

}  // namespace
}  // namespace echo_exporter
