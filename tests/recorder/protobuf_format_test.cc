#include "src/recorder/protobuf_format.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "echo_exporter/probe_recorder.h"
#include "src/recorder/native_buckets.h"

namespace echo_exporter {
namespace {

using namespace std::string_literals;

// The expected bytes follow from the encoding's description; the end-to-end
// tests compare with a decoder of protoc.

/// A field of wire type 2.
std::string Bytes(int field, const std::string& bytes) {
  return std::string(1, static_cast<char>(field << 3 | 2)) +
         static_cast<char>(bytes.size()) + bytes;
}

constexpr char kOne[] = "\x09\x00\x00\x00\x00\x00\x00\xF0\x3F";  // 1: 1.0
const std::string kOneValue(kOne, 9);

class ProtobufFormatTest : public testing::Test {
 protected:
  std::string out_;
  std::unique_ptr<FamilyWriter> writer_ =
      CreateProtobufFamilyWriter(&out_, std::nullopt);
};

TEST_F(ProtobufFormatTest, WritesAFamilyAfterItsLength) {
  const std::array<LabelView, 1> labels{{{"a", "b"}}};
  writer_->BeginFamily({"up", FamilyType::kGauge, "Up."});
  writer_->AddSample({.labels = labels}, 1.0);
  writer_->AddSample({}, std::uint64_t{1});
  writer_->EndFamily();
  const std::string family =
      Bytes(1, "up") + Bytes(2, "Up.") + "\x18\x01" +
      Bytes(4, Bytes(1, Bytes(1, "a") + Bytes(2, "b")) + Bytes(2, kOneValue)) +
      Bytes(4, Bytes(2, kOneValue));
  EXPECT_EQ(out_, static_cast<char>(family.size()) + family);
}

// Of each size that needs one more byte for a length, somewhere.
TEST_F(ProtobufFormatTest, StreamsALargeFamilyAsItWritesOneThatItHolds) {
  NativeBuckets native(0);
  native.Add(3, 99);
  const std::vector<double> bounds = {1};
  const std::vector<std::uint64_t> counts = {2, 1};
  for (std::size_t size = 0; size < 400; ++size) {
    const std::string value = std::string(size, 'v') + (size % 3 ? "" : "\xFF");
    const std::array<LabelView, 1> labels{{{"a", value}}};
    const auto prepared = ProbeRecorder::Prepare({"g", value, "d", {}});
    writer_ = CreateProtobufFamilyWriter(&out_, std::nullopt);
    const Family counter{"n", FamilyType::kCounter, "N."};
    const auto add_samples = [&] {
      for (std::size_t i = 0; i <= size % 5; ++i) {
        writer_->AddSample({.prepared = prepared.get(),
                            .labels = labels,
                            .since = WallTime(std::chrono::seconds(size))},
                           std::uint64_t{size});
      }
      writer_->AddSample({}, ExactSeconds{size});
    };
    const Family histogram{"h", FamilyType::kHistogram, "H."};
    const auto add_histogram = [&] {
      writer_->AddHistogram(
          {.prepared = prepared.get()},
          {.bounds = bounds, .counts = counts, .sum = 3.5, .native = &native});
    };
    const auto held = [&](const Family& family, const auto& add) {
      writer_->BeginFamily(family);
      add();
      writer_->EndFamily();
    };
    out_.clear();
    held(counter, add_samples);
    held(histogram, add_histogram);
    const std::string expected = out_;
    out_.clear();
    writer_->WriteFamily(counter, add_samples);
    writer_->WriteFamily(histogram, add_histogram);
    ASSERT_EQ(out_, expected) << size;
  }
}

TEST_F(ProtobufFormatTest, MeasuresWhateverPairsAFamilyHas) {
  std::vector<std::shared_ptr<const PreparedLabels>> pairs;
  for (const std::size_t size : {1, 200, 30, 4000}) {
    pairs.push_back(
        ProbeRecorder::Prepare({"g", "s", std::string(size, 'd'), {}}));
  }
  writer_ = CreateProtobufFamilyWriter(&out_, std::nullopt);
  const std::vector<std::vector<std::size_t>> families = {
      {0, 1, 2, 3}, {0, 2}, {1}, {0, 0, 1, 1, 3}, {3, 2, 1, 0}, {0, 1, 2, 3}};
  for (const auto& family : families) {
    const auto add = [&] {
      for (const std::size_t pair : family) {
        writer_->AddSample({.prepared = pairs[pair].get()}, 1.0);
      }
    };
    out_.clear();
    writer_->BeginFamily({"up", FamilyType::kGauge, "Up."});
    add();
    writer_->EndFamily();
    const std::string held = std::exchange(out_, "");
    writer_->WriteFamily({"up", FamilyType::kGauge, "Up."}, add);
    EXPECT_TRUE(out_ == held) << testing::PrintToString(family);
  }
}

TEST_F(ProtobufFormatTest, KeepsNothingOfALargeFamilyThatIsPassedOn) {
  std::size_t rounds = 0;
  std::string all;
  writer_->WriteFamily({"up", FamilyType::kGauge, "Up."}, [&] {
    ++rounds;
    for (int i = 0; i < 1000; ++i) {
      writer_->AddSample({}, std::uint64_t{1});
      EXPECT_LT(out_.size(), 30U);
      all += out_;
      out_.clear();
    }
  });
  EXPECT_EQ(rounds, 2U);
  EXPECT_EQ(out_, "");
  std::string family = Bytes(1, "up") + Bytes(2, "Up.") + "\x18\x01";
  for (int i = 0; i < 1000; ++i) family += Bytes(4, Bytes(2, kOneValue));
  ASSERT_EQ(family.size(), 13'011U);
  EXPECT_TRUE(all == "\xD3\x65" + family);
}

TEST_F(ProtobufFormatTest, LeavesOutAFamilyWithoutSeries) {
  writer_->BeginFamily({"up", FamilyType::kGauge, "Up."});
  writer_->EndFamily();
  EXPECT_EQ(out_, "");
  writer_->WriteFamily({"up", FamilyType::kGauge, "Up."}, [] {});
  EXPECT_EQ(out_, "");
}

TEST_F(ProtobufFormatTest, TellsSinceWhenACounterCounts) {
  writer_ = CreateProtobufFamilyWriter(
      &out_, WallTime(std::chrono::milliseconds(300'000)));
  writer_->BeginFamily({"n", FamilyType::kCounter, "N."});
  writer_->AddSample({}, 1.0);
  writer_->AddSample({.since = WallTime(std::chrono::microseconds(1'250'999))},
                     1.0);
  writer_->EndFamily();
  const std::string family =
      Bytes(1, "n") + Bytes(2, "N.") + "\x18\x00"s +
      Bytes(4, Bytes(3, kOneValue + Bytes(3, "\x08\xAC\x02"))) +
      Bytes(4, Bytes(3, kOneValue + Bytes(3, "\x08\x01\x10\x80\xE5\x9A\x77")));
  EXPECT_EQ(out_, static_cast<char>(family.size()) + family);
}

TEST_F(ProtobufFormatTest, PutsTheLabelsOfAPairFirst) {
  const auto prepared =
      ProbeRecorder::Prepare({"g", "s\xFF", "d\xC3\xBC", {{"x", "y"}}});
  const std::array<LabelView, 1> labels{{{"a", "b"}}};
  writer_->BeginFamily({"up", FamilyType::kGauge, "Up."});
  writer_->AddSample({.prepared = prepared.get(), .labels = labels}, 1.0);
  writer_->EndFamily();
  const auto label = [](const std::string& name, const std::string& value) {
    return Bytes(1, Bytes(1, name) + Bytes(2, value));
  };
  const std::string family =
      Bytes(1, "up") + Bytes(2, "Up.") + "\x18\x01" +
      Bytes(4, label("group", "g") + label("source", "s\xEF\xBF\xBD") +
                   label("destination", "d\xC3\xBC") + label("x", "y") +
                   label("a", "b") + Bytes(2, kOneValue));
  EXPECT_EQ(out_, static_cast<char>(family.size()) + family);
}

/// A histogram's message with three observations and a sum of 1 s.
std::string Message(const std::string& rest) {
  const std::string sum = "\x11"s + kOneValue.substr(1);
  const std::string family = Bytes(1, "h") + Bytes(2, "H.") + "\x18\x04" +
                             Bytes(4, Bytes(7, "\x08\x03" + sum + rest));
  return static_cast<char>(family.size()) + family;
}

TEST_F(ProtobufFormatTest, WritesCumulativeBucketsWithoutTheLast) {
  const std::vector<double> bounds = {1};
  const std::vector<std::uint64_t> counts = {2, 1};
  writer_->BeginFamily({"h", FamilyType::kHistogram, "H."});
  writer_->AddHistogram(
      {},
      {.bounds = bounds, .counts = counts, .sum = ExactSeconds{1'000'000'000}});
  writer_->EndFamily();
  EXPECT_EQ(out_, Message(Bytes(3, "\x08\x02\x11"s + kOneValue.substr(1))));
}

TEST_F(ProtobufFormatTest, WritesSpansAndDeltas) {
  NativeBuckets native(0);
  // Buckets -2 (2), 1 (1): two empty ones between them; 5 (1): three; zero (1).
  for (const double value : {0.25, 0.25, 2.0, 32.0, 0.0}) native.Add(value, 99);
  const std::vector<std::uint64_t> counts = {5};
  const std::vector<std::uint64_t> before = {2};
  writer_->BeginFamily({"h", FamilyType::kHistogram, "H."});
  writer_->AddHistogram({}, {.bounds = {},
                             .counts = counts,
                             .sum = 3.5,
                             .native = &native,
                             .counts_before = before,
                             .sum_before = 2.5});
  writer_->EndFamily();
  const std::string threshold("\x31\x00\x00\x00\x00\x00\x00\xF0\x37", 9);
  // Deltas: 2, -2, 0, +1, 0 as zigzag.
  EXPECT_EQ(out_, Message("\x28\x00"s + threshold + "\x38\x01" +
                          Bytes(12, "\x08\x03\x10\x04") +
                          Bytes(12, "\x08\x06\x10\x01") +
                          Bytes(13, "\x04\x03\x00\x02\x00"s)));
}

TEST_F(ProtobufFormatTest, AnEmptyNativeHistogramIsOne) {
  const NativeBuckets native(3);
  const std::vector<std::uint64_t> counts = {3};
  writer_->BeginFamily({"h", FamilyType::kHistogram, "H."});
  writer_->AddHistogram(
      {}, {.bounds = {}, .counts = counts, .sum = 1.0, .native = &native});
  writer_->EndFamily();
  // What makes it one is the threshold.
  EXPECT_EQ(out_, Message("\x28\x06"s + std::string("\x31\x00\x00\x00\x00\x00"
                                                    "\x00\xF0\x37",
                                                    9)));
}

}  // namespace
}  // namespace echo_exporter
