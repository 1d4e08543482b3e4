#include "src/recorder/exposition.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/recorder/samples.h"

namespace echo_exporter {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<double>& Bounds() {
  static const std::vector<double> bounds = {0.001, 0.1};
  return bounds;
}

std::string Render(const std::vector<PairSnapshot>& pairs,
                   const std::vector<double>& bounds = Bounds(),
                   bool stray_replies = false, bool flow_renewals = false) {
  std::string text;
  const TextSink sink = [&text](std::string_view piece) {
    text += piece;
    return true;
  };
  PieceWriter writer(sink);
  PairExposition(bounds, stray_replies, flow_renewals).Write(pairs, writer);
  writer.Flush();
  return text;
}

PairSnapshot PairWithReplies(const std::vector<Nanoseconds>& rtts,
                             const std::vector<double>& bounds = Bounds()) {
  const RttBuckets buckets(bounds);
  PairStats stats(buckets.count());
  for (const Nanoseconds rtt : rtts) {
    EchoResult result;
    result.outcome = EchoOutcome::kReply;
    result.rtt = rtt;
    stats.RecordRequest();
    stats.RecordResult(result, buckets);
  }
  return {std::make_shared<const std::string>("pair=\"1\""), stats, {}};
}

std::string LabelOfGroup(const std::string& name) {
  return RenderPairLabels({name, "s", "d", {}});
}

TEST(PairExpositionTest, ShowsStrayRepliesOnlyWhereTheyCanBeSeen) {
  PairSnapshot pair = PairWithReplies({});
  EXPECT_THAT(Render({pair}), Not(HasSubstr("late_replies")));
  EXPECT_THAT(Render({pair}, Bounds(), true),
              HasSubstr("\nicmp_echo_late_replies_total{pair=\"1\"} 0\n"));
  pair.stats.RecordStrayReply(StrayReply::kLate);
  pair.stats.RecordStrayReply(StrayReply::kLate);
  pair.stats.RecordStrayReply(StrayReply::kDuplicate);
  const std::string text = Render({pair}, Bounds(), true);
  EXPECT_THAT(text,
              HasSubstr("\nicmp_echo_late_replies_total{pair=\"1\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("\nicmp_echo_duplicate_replies_total{pair=\"1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("icmp_echo_requests_total{pair=\"1\"} 0\n"));
}

TEST(PairExpositionTest, ShowsFlowRenewalsOnlyWhereThereMayBeSome) {
  PairSnapshot pair = PairWithReplies({});
  pair.stats.RecordFlowRenewal();
  EXPECT_THAT(Render({pair}), Not(HasSubstr("flow_renewals")));
  EXPECT_THAT(Render({pair}, Bounds(), false, true),
              HasSubstr("\nicmp_echo_flow_renewals_total{pair=\"1\"} 1\n"));
}

TEST(PairExpositionTest, HandsALongTextOnInPiecesAndStopsWhenToldTo) {
  const std::vector<PairSnapshot> pairs(1000,
                                        PairWithReplies({Nanoseconds(1)}));
  std::string text;
  std::vector<std::size_t> sizes;
  const TextSink keep = [&](std::string_view piece) {
    sizes.push_back(piece.size());
    text += piece;
    return true;
  };
  PieceWriter writer(keep);
  const PairExposition exposition(Bounds(), true, false);
  exposition.Write(pairs, writer);
  writer.Flush();
  EXPECT_GT(sizes.size(), 2U);
  EXPECT_EQ(text, Render(pairs, Bounds(), true));
  for (const std::size_t size : sizes) {
    EXPECT_LT(size, PieceWriter::kPieceSize + 4096);
  }

  int pieces = 0;
  const TextSink refuse = [&](std::string_view) {
    ++pieces;
    return false;
  };
  PieceWriter unwanted(refuse);
  exposition.Write(pairs, unwanted);
  unwanted.Flush();
  EXPECT_EQ(pieces, 1);
}

TEST(RenderPairLabelsTest, PutsTheGroupsOwnLabelsLast) {
  EXPECT_EQ(RenderPairLabels({"lan", "wan1", "192.0.2.1", {}}),
            R"(group="lan",source="wan1",destination="192.0.2.1")");
  EXPECT_EQ(RenderPairLabels({"g", "s", "d", {{"site", "fra"}, {"a", "b"}}}),
            R"(group="g",source="s",destination="d",site="fra",a="b")");
}

TEST(RenderPairLabelsTest, EscapesWhatTheFormatGivesAMeaning) {
  EXPECT_EQ(RenderPairLabels({"a\"b", "c\\d", "e\nf", {{"x", "\\\"\n\\"}}}),
            R"(group="a\"b",source="c\\d",destination="e\nf",x="\\\"\n\\")");
}

TEST(RenderPairLabelsTest, KeepsUtf8) {
  for (const char* name :
       {"Z\xC3\xBCrich", "\xE6\x9D\xB1\xE4\xBA\xAC", "\xF0\x9F\x8C\x90",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xC2\x80",
        "\xE0\xA0\x80", "\xF0\x90\x80\x80", "tab\t{brace}=,"}) {
    EXPECT_EQ(LabelOfGroup(name), "group=\"" + std::string(name) +
                                      R"(",source="s",destination="d")");
  }
}

TEST(RenderPairLabelsTest, ReplacesBytesThatAreNotUtf8) {
  const std::string bad = "\xEF\xBF\xBD";
  const struct {
    std::string name;
    std::string written;
  } cases[] = {
      {"\xFF", bad},
      {"a\x80z", "a" + bad + "z"},
      {"\xC0\xAF", bad + bad},                      // overlong '/'
      {"\xE0\x9F\xBF", bad + bad + bad},            // overlong
      {"\xF0\x8F\xBF\xBF", bad + bad + bad + bad},  // overlong
      {"\xED\xA0\x80", bad + bad + bad},            // surrogate
      {"\xF4\x90\x80\x80", bad + bad + bad + bad},  // above U+10FFFF
      {"\xF5\x80\x80\x80", bad + bad + bad + bad},
      {"cut \xE6\x9D", "cut " + bad + bad},
      {"cut \xC3", "cut " + bad},
      {"\xC3\"", bad + "\\\""},  // the quote is not swallowed
      {"\xE6\x9D\n", bad + bad + "\\n"},
      {"\xF0\x9F\x8C\\", bad + bad + bad + "\\\\"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(LabelOfGroup(c.name),
              "group=\"" + c.written + R"(",source="s",destination="d")");
  }
}

TEST(PairExpositionTest, WritesNothingWithoutPairs) {
  EXPECT_EQ(Render({}), "");
}

TEST(PairExpositionTest, OmitsFamiliesWithoutSeries) {
  const std::string text = Render({PairWithReplies({})});
  EXPECT_THAT(text, HasSubstr("# TYPE icmp_echo_up gauge\n"
                              "icmp_echo_up{pair=\"1\"} 0\n"));
  for (const char* family :
       {"icmp_echo_last_rtt_seconds", "icmp_echo_jitter_seconds",
        "icmp_echo_reply_ttl", "icmp_echo_pair_info"}) {
    EXPECT_THAT(text, Not(HasSubstr(family)));
  }
}

TEST(PairExpositionTest, WritesTheHeadOfAFamilyOnce) {
  const std::string text = Render({PairWithReplies({}), PairWithReplies({})});
  const std::string head = "# TYPE icmp_echo_rtt_seconds histogram\n";
  const std::size_t first = text.find(head);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(text.find(head, first + 1), std::string::npos);
}

TEST(PairExpositionTest, AccumulatesBuckets) {
  using std::chrono::milliseconds;
  const auto samples = ParseSamples(
      Render({PairWithReplies({milliseconds(1), milliseconds(2),
                               milliseconds(3), milliseconds(200)})}));
  const std::string bucket = R"(icmp_echo_rtt_seconds_bucket{pair="1",le=)";
  EXPECT_EQ(samples.at(bucket + R"("0.001"})"), 1);
  EXPECT_EQ(samples.at(bucket + R"("0.1"})"), 3);
  EXPECT_EQ(samples.at(bucket + R"("+Inf"})"), 4);
  EXPECT_EQ(samples.at(R"(icmp_echo_rtt_seconds_count{pair="1"})"), 4);
}

TEST(PairExpositionTest, WritesBoundsAsOtherExportersDo) {
  const std::vector<double> bounds = {1e-9, 0.00005, 0.0001, 0.1024, 0.3,
                                      1,    26.2144, 100000, 1e6};
  const std::string text = Render({PairWithReplies({}, bounds)}, bounds);
  for (const char* le : {"1e-09", "5e-05", "0.0001", "0.1024", "0.3", "1",
                         "26.2144", "100000", "1e+06", "+Inf"}) {
    EXPECT_THAT(text, HasSubstr(",le=\"" + std::string(le) + "\"} 0\n"));
  }
}

TEST(PairExpositionTest, WritesNanosecondsAsExactSeconds) {
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
    EXPECT_THAT(
        Render({PairWithReplies({Nanoseconds(c.nanoseconds)})}),
        HasSubstr("icmp_echo_rtt_seconds_sum{pair=\"1\"} " + c.seconds + "\n"));
  }
}

TEST(PairExpositionTest, TellsTheAddressesInUse) {
  PairSnapshot pair = PairWithReplies({});
  pair.route =
      Route{IpAddress::Parse("192.0.2.10"), *IpAddress::Parse("192.0.2.1")};
  EXPECT_THAT(Render({pair}),
              HasSubstr(R"(icmp_echo_pair_info{pair="1",)"
                        R"(source_address="192.0.2.10",)"
                        R"(destination_address="192.0.2.1",ip_version="4"} 1)"
                        "\n"));
  pair.route = Route{{}, *IpAddress::Parse("2001:db8::1")};
  EXPECT_THAT(Render({pair}),
              HasSubstr(R"(icmp_echo_pair_info{pair="1",source_address="",)"
                        R"(destination_address="2001:db8::1",ip_version="6"})"
                        " 1\n"));
}

}  // namespace
}  // namespace echo_exporter
