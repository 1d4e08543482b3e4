#include "src/recorder/pair_families.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/recorder/samples.h"

namespace echo_exporter {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

const std::vector<double>& Bounds() {
  static const std::vector<double> bounds = {0.001, 0.1};
  return bounds;
}

constexpr const char* kLabels = R"(group="g",source="s",destination="d")";

PackedPairs Pack(const std::vector<PairSnapshot>& pairs) {
  PackedPairs packed(Histogram::Parts::kAll);
  for (const PairSnapshot& pair : pairs) packed.push_back(pair);
  return packed;
}

std::string Render(const std::vector<PairSnapshot>& pairs,
                   const std::vector<double>& bounds = Bounds(),
                   PairFamilySet omit = {}) {
  std::string text;
  const TextSink sink = [&text](std::string_view piece) {
    text += piece;
    return true;
  };
  PieceWriter pieces(sink);
  WritePairFamilies(Pack(pairs), omit, PairShapes({.rtt_buckets = bounds}),
                    *CreateFamilyWriter(MetricsFormat::kText, &pieces.text()),
                    &pieces);
  pieces.Flush();
  return text;
}

PairSnapshot PairWithReplies(const std::vector<Nanoseconds>& rtts,
                             const std::vector<double>& bounds = Bounds()) {
  const PairShapes shapes({.rtt_buckets = bounds});
  PairStats stats(shapes);
  for (const Nanoseconds rtt : rtts) {
    EchoResult result;
    result.outcome = EchoOutcome::kReply;
    result.rtt = rtt;
    stats.Prepare(shapes);
    stats.RecordRequest();
    stats.RecordResult(result, shapes, Clock::System());
    stats.RecordInSendOrder({{}, 3, result.outcome}, shapes, Clock::System());
  }
  return {ProbeRecorder::Prepare({"g", "s", "d", {}}), stats, {}};
}

TEST(PairFamiliesTest, CountsStrayRepliesAndFlowRenewals) {
  PairSnapshot pair = PairWithReplies({});
  pair.stats.RecordStrayReply(StrayReply::kLate);
  pair.stats.RecordStrayReply(StrayReply::kLate);
  pair.stats.RecordStrayReply(StrayReply::kDuplicate);
  pair.stats.RecordFlowRenewal();
  const auto samples = ParseSamples(Render({pair}));
  const auto value = [&](const std::string& name) {
    return samples.at(name + '{' + kLabels + '}');
  };
  EXPECT_EQ(value("icmp_echo_late_replies_total"), 2);
  EXPECT_EQ(value("icmp_echo_duplicate_replies_total"), 1);
  EXPECT_EQ(value("icmp_echo_flow_renewals_total"), 1);
  EXPECT_EQ(value("icmp_echo_requests_total"), 0);
}

TEST(PairFamiliesTest, LeavesOutEachFamilyThatIsOmittedAndNoOther) {
  PairSnapshot pair =
      PairWithReplies({std::chrono::seconds(1), std::chrono::seconds(2)});
  pair.facts.route = Route{{}, *IpAddress::Parse("192.0.2.1")};
  pair.facts.traits = {.interval = std::chrono::seconds(1), .has_name = true};
  for (std::size_t i = 0; i < kPairFamilies.size(); ++i) {
    PairFamilySet omit;
    omit.set(i);
    const std::string text = Render({pair}, Bounds(), omit);
    for (std::size_t j = 0; j < kPairFamilies.size(); ++j) {
      const std::string head =
          "# TYPE " + std::string(kPairFamilies[j].name) + ' ';
      const bool expected = j != i && j != IndexOf(PairFamily::kReplyTtl);
      EXPECT_EQ(text.find(head) != std::string::npos, expected)
          << head << " without " << kPairFamilies[i].name;
    }
  }
}

TEST(PairFamiliesTest, HasNoClassicBucketsWithoutBounds) {
  const std::string text =
      Render({PairWithReplies({std::chrono::seconds(1)}, {})}, {});
  EXPECT_THAT(text, Not(HasSubstr("rtt_seconds_bucket")));
  const auto samples = ParseSamples(text);
  EXPECT_EQ(
      samples.at("icmp_echo_rtt_seconds_sum{" + std::string(kLabels) + "}"), 1);
  EXPECT_EQ(
      samples.at("icmp_echo_rtt_seconds_count{" + std::string(kLabels) + "}"),
      1);
}

TEST(PairFamiliesTest, HandsALongTextOnInPiecesAndStopsWhenToldTo) {
  const std::vector<PairSnapshot> pairs(1000,
                                        PairWithReplies({Nanoseconds(1)}));
  std::string text;
  std::vector<std::size_t> sizes;
  const TextSink keep = [&](std::string_view piece) {
    sizes.push_back(piece.size());
    text += piece;
    return true;
  };
  const auto write = [&pairs](const TextSink& sink) {
    PieceWriter pieces(sink);
    WritePairFamilies(Pack(pairs), {}, PairShapes({.rtt_buckets = Bounds()}),
                      *CreateFamilyWriter(MetricsFormat::kText, &pieces.text()),
                      &pieces);
    pieces.Flush();
  };
  write(keep);
  EXPECT_EQ(text, Render(pairs));
  ASSERT_GT(sizes.size(), 2U);
  EXPECT_LE(sizes.back(), PieceWriter::kPieceSize);
  sizes.pop_back();
  EXPECT_THAT(sizes, Each(PieceWriter::kPieceSize));

  int pieces = 0;
  const TextSink refuse = [&](std::string_view) {
    ++pieces;
    return false;
  };
  write(refuse);
  EXPECT_EQ(pieces, 1);
}

TEST(PairFamiliesTest, WritesNothingWithoutPairs) { EXPECT_EQ(Render({}), ""); }

TEST(PairFamiliesTest, OmitsFamiliesWithoutSeries) {
  const std::string text = Render({PairWithReplies({})});
  EXPECT_THAT(text, HasSubstr("# TYPE icmp_echo_in_flight gauge\n"));
  for (const char* family :
       {"icmp_echo_last_rtt_seconds", "icmp_echo_last_reply_timestamp_seconds",
        "icmp_echo_jitter_seconds", "icmp_echo_up",
        "icmp_echo_interval_seconds", "icmp_echo_resolved",
        "icmp_echo_reply_ttl", "icmp_echo_up_changed_timestamp_seconds",
        "icmp_echo_pair_info"}) {
    EXPECT_THAT(text, Not(HasSubstr(family)));
  }
}

TEST(PairFamiliesTest, WritesTheHeadOfAFamilyOnce) {
  const std::string text = Render({PairWithReplies({}), PairWithReplies({})});
  const std::string head = "# TYPE icmp_echo_rtt_seconds histogram\n";
  const std::size_t first = text.find(head);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find(head, first + 1), std::string::npos);
}

TEST(PairFamiliesTest, AccumulatesBuckets) {
  using std::chrono::milliseconds;
  const auto samples = ParseSamples(
      Render({PairWithReplies({milliseconds(1), milliseconds(2),
                               milliseconds(3), milliseconds(200)})}));
  const std::string bucket =
      R"(icmp_echo_rtt_seconds_bucket{group="g",source="s",destination="d",le=)";
  EXPECT_EQ(samples.at(bucket + R"("0.001"})"), 1);
  EXPECT_EQ(samples.at(bucket + R"("0.1"})"), 3);
  EXPECT_EQ(samples.at(bucket + R"("+Inf"})"), 4);
  EXPECT_EQ(
      samples.at(
          R"(icmp_echo_rtt_seconds_count{group="g",source="s",destination="d"})"),
      4);
}

TEST(PairFamiliesTest, WritesTheLengthsOfRuns) {
  PairSnapshot pair = PairWithReplies({});
  const PairShapes shapes({.rtt_buckets = Bounds()});
  pair.stats.RecordRequest();  // in flight, so that a run may begin
  pair.stats.Prepare(shapes);
  for (const int length : {1, 4, 500, 2}) {
    for (int i = 0; i < length; ++i) {
      pair.stats.RecordInSendOrder({{}, 3, EchoOutcome::kTimeout}, shapes,
                                   Clock::System());
    }
    pair.stats.RecordInSendOrder({{}, 3, EchoOutcome::kReply}, shapes,
                                 Clock::System());
  }
  std::string expected = "# TYPE icmp_echo_failure_run_length histogram\n";
  const std::string name = "icmp_echo_failure_run_length";
  const std::vector<std::pair<std::string, int>> buckets = {
      {"1", 1},  {"2", 2},  {"3", 2},   {"5", 3},   {"10", 3},
      {"20", 3}, {"50", 3}, {"100", 3}, {"+Inf", 4}};
  for (const auto& [bound, count] : buckets) {
    expected += name + "_bucket{" + kLabels + ",le=\"" + bound + "\"} " +
                std::to_string(count) + "\n";
  }
  expected += name + "_sum{" + kLabels + "} 507\n";
  expected += name + "_count{" + kLabels + "} 4\n";
  EXPECT_THAT(Render({pair}), HasSubstr(expected));
}

TEST(PairFamiliesTest, WritesBoundsAsOtherExportersDo) {
  const std::vector<double> bounds = {1e-9, 0.00005, 0.0001, 0.1024, 0.3,
                                      1,    26.2144, 100000, 1e6};
  const std::string text = Render({PairWithReplies({}, bounds)}, bounds);
  for (const char* le : {"1e-09", "5e-05", "0.0001", "0.1024", "0.3", "1",
                         "26.2144", "100000", "1e+06", "+Inf"}) {
    EXPECT_THAT(text, HasSubstr(",le=\"" + std::string(le) + "\"} 0\n"));
  }
}

TEST(PairFamiliesTest, WritesNanosecondsAsExactSeconds) {
  const struct {
    std::int64_t nanoseconds;
    std::string seconds;
  } cases[] = {
      {0, "0"},
      {1, "0.000000001"},
      {237'400, "0.0002374"},
      {999'999'999, "0.999999999"},
      {1'000'000'000, "1"},
      {1'010'000'000, "1.01"},
      {31'536'000'000'000'001, "31536000.000000001"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Render({PairWithReplies({Nanoseconds(c.nanoseconds)})}),
                HasSubstr("icmp_echo_rtt_seconds_sum{group=\"g\",source=\"s\","
                          "destination=\"d\"} " +
                          c.seconds + "\n"));
  }
}

TEST(PairFamiliesTest, TellsTheAddressesInUse) {
  PairSnapshot pair = PairWithReplies({});
  pair.facts.route =
      Route{IpAddress::Parse("192.0.2.10"), *IpAddress::Parse("192.0.2.1")};
  EXPECT_THAT(
      Render({pair}),
      HasSubstr(R"(icmp_echo_pair_info{group="g",source="s",destination="d",)"
                R"(source_address="192.0.2.10",)"
                R"(destination_address="192.0.2.1",ip_version="4"} 1)"
                "\n"));
  pair.facts.route = Route{{}, *IpAddress::Parse("2001:db8::1")};
  EXPECT_THAT(
      Render({pair}),
      HasSubstr(
          R"(icmp_echo_pair_info{group="g",source="s",destination="d",source_address="",)"
          R"(destination_address="2001:db8::1",ip_version="6"})"
          " 1\n"));
}

}  // namespace
}  // namespace echo_exporter
