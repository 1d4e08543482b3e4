#include "src/recorder/text_format.h"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "echo_exporter/family_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace echo_exporter {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string Number(double value) {
  std::string text;
  AppendNumber(value, &text);
  return text;
}

class TextFamilyWriterTest : public testing::Test {
 protected:
  std::string text_;
  std::unique_ptr<FamilyWriter> writer_ = CreateTextFamilyWriter(&text_);
};

TEST_F(TextFamilyWriterTest, WritesTheHeadOfAFamilyOnceAndThenItsSeries) {
  writer_->BeginFamily({"requests_total", FamilyType::kCounter, "Requests."});
  const std::array<LabelView, 2> first{{{"code", "200"}, {"handler", "/"}}};
  const std::array<LabelView, 2> second{{{"code", "404"}, {"handler", "/x"}}};
  writer_->AddSample({.labels = first}, std::uint64_t{7});
  writer_->AddSample({.labels = second}, 1.0);
  writer_->EndFamily();
  writer_->WriteSample({"up", FamilyType::kGauge, "Whether it is up."}, 1);
  EXPECT_EQ(text_,
            "# HELP requests_total Requests.\n"
            "# TYPE requests_total counter\n"
            "requests_total{code=\"200\",handler=\"/\"} 7\n"
            "requests_total{code=\"404\",handler=\"/x\"} 1\n"
            "# HELP up Whether it is up.\n"
            "# TYPE up gauge\n"
            "up 1\n");
}

TEST_F(TextFamilyWriterTest, LeavesOutAFamilyWithoutSeries) {
  writer_->BeginFamily({"empty", FamilyType::kGauge, "Nothing."});
  writer_->EndFamily();
  EXPECT_EQ(text_, "");
}

TEST_F(TextFamilyWriterTest, AppendsToWhatIsThere) {
  text_ = "before\n";
  writer_->WriteSample({"up", FamilyType::kGauge, "Up."}, 0);
  EXPECT_EQ(text_, "before\n# HELP up Up.\n# TYPE up gauge\nup 0\n");
}

TEST_F(TextFamilyWriterTest, WritesHistograms) {
  const std::vector<double> bounds = {1e-05, 0.5};
  const std::vector<std::uint64_t> counts = {2, 1, 1};
  const HistogramValue value{.bounds = bounds, .counts = counts, .sum = 10.25};
  writer_->BeginFamily({"delay_seconds", FamilyType::kHistogram, "Delays."});
  writer_->AddHistogram({}, value);
  const LabelView label{"a", "b"};
  writer_->AddHistogram({.labels = {&label, 1}}, value);
  writer_->EndFamily();
  EXPECT_EQ(text_,
            "# HELP delay_seconds Delays.\n"
            "# TYPE delay_seconds histogram\n"
            "delay_seconds_count 4\n"
            "delay_seconds_sum 10.25\n"
            "delay_seconds_bucket{le=\"1e-05\"} 2\n"
            "delay_seconds_bucket{le=\"0.5\"} 3\n"
            "delay_seconds_bucket{le=\"+Inf\"} 4\n"
            "delay_seconds_count{a=\"b\"} 4\n"
            "delay_seconds_sum{a=\"b\"} 10.25\n"
            "delay_seconds_bucket{a=\"b\",le=\"1e-05\"} 2\n"
            "delay_seconds_bucket{a=\"b\",le=\"0.5\"} 3\n"
            "delay_seconds_bucket{a=\"b\",le=\"+Inf\"} 4\n");
}

TEST_F(TextFamilyWriterTest, WritesHistogramsWithoutBuckets) {
  const std::vector<std::uint64_t> counts = {4};
  writer_->BeginFamily({"h", FamilyType::kHistogram, "H."});
  writer_->AddHistogram({}, {.bounds = {}, .counts = counts, .sum = 9.0});
  writer_->EndFamily();
  EXPECT_EQ(text_, "# HELP h H.\n# TYPE h histogram\nh_count 4\nh_sum 9\n");
}

TEST_F(TextFamilyWriterTest, WritesEachHistogramWithTheBoundsOfItsFamily) {
  const std::vector<std::uint64_t> counts = {1, 2};
  for (const double bound : {1.0, 2.0}) {
    const std::string name = bound == 1 ? "a" : "b";
    writer_->BeginFamily({name, FamilyType::kHistogram, "H."});
    writer_->AddHistogram(
        {}, {.bounds = {&bound, 1}, .counts = counts, .sum = 9.0});
    writer_->EndFamily();
  }
  EXPECT_THAT(text_, testing::HasSubstr("a_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(text_, testing::HasSubstr("b_bucket{le=\"2\"} 1\n"));
}

TEST_F(TextFamilyWriterTest, EscapesTheValuesOfLabels) {
  const LabelView label{"name", "a\"b\\c\nd\xFF\xC3\xBC"};
  writer_->BeginFamily({"up", FamilyType::kGauge, "Up."});
  writer_->AddSample({.labels = {&label, 1}}, 1.0);
  writer_->EndFamily();
  EXPECT_EQ(text_,
            "# HELP up Up.\n# TYPE up gauge\n"
            "up{name=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\xC3\xBC\"} 1\n");
}

TEST(TextFormatTest, WritesNumbersWithSixteenSignificantDigits) {
  const struct {
    double value;
    std::string text;
  } cases[] = {
      {0, "0"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {0.1 + 0.2, "0.3"},
      {1.0 / 3, "0.3333333333333333"},
      {2e-05, "2e-05"},
      {0.0001, "0.0001"},
      {1'700'000'000.25, "1700000000.25"},
      {123'456'789'012'345, "123456789012345"},
      {9'007'199'254'740'992, "9007199254740992"},
      {1e16, "1e+16"},
      {1.2345678901234567e+300, "1.234567890123457e+300"},
      {kInfinity, "+Inf"},
      {-kInfinity, "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
  };
  for (const auto& c : cases) EXPECT_EQ(Number(c.value), c.text);
}

TEST(TextFormatTest, WritesWholeNumbersExactly) {
  std::string text;
  AppendNumber(std::numeric_limits<std::uint64_t>::max(), &text);
  EXPECT_EQ(text, "18446744073709551615");
}

}  // namespace
}  // namespace echo_exporter
