#include "src/recorder/packed_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/recorder/native_counts.h"
#include "tests/support/manual_clock.h"

namespace echo_exporter {
namespace {

using testing::ElementsAreArray;

constexpr WallTime kBegin{std::chrono::hours(480'000)};

// How often a histogram has been seen in which state, so that the test knows
// that it has looked at each.
struct Seen {
  int begun_again = 0;
  int widened = 0;
  int coarser = 0;
  int with_runs = 0;
  int never_probed = 0;
};

void ExpectEqual(const Histogram& packed, const Histogram& original,
                 const HistogramShape& shape) {
  EXPECT_EQ(packed.counts(), original.counts());
  EXPECT_EQ(packed.sum(), original.sum());
  EXPECT_EQ(packed.since(), original.since());
  EXPECT_EQ(packed.native().schema(), original.native().schema());
  EXPECT_EQ(packed.native().zero_threshold(),
            original.native().zero_threshold());
  EXPECT_EQ(packed.native().zero_count(), original.native().zero_count());
  EXPECT_EQ(BucketsOf(packed.native()), BucketsOf(original.native()));
  const HistogramValue value = packed.Value(shape, std::uint64_t{0});
  const HistogramValue expected = original.Value(shape, std::uint64_t{0});
  EXPECT_THAT(value.counts_before, ElementsAreArray(expected.counts_before));
  EXPECT_EQ(value.sum_before, expected.sum_before);
}

void ExpectEqual(const PackedPairs::Pair& packed, const PairStats& original) {
  const auto time = [&packed](PairNumber which) -> std::optional<Nanoseconds> {
    const auto value = packed.NumberIfAny(which);
    if (!value) return std::nullopt;
    return Nanoseconds(static_cast<std::int64_t>(*value));
  };
  EXPECT_EQ(packed.since(), original.since());
  EXPECT_EQ(packed.Number(PairNumber::kRequests), original.requests());
  EXPECT_EQ(packed.Number(PairNumber::kInFlight), original.in_flight());
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    EXPECT_EQ(packed.Number(PairNumber::kOutcomes, i),
              original.outcomes(static_cast<EchoOutcome>(i)));
  }
  for (std::size_t i = 0; i < kStrayReplyCount; ++i) {
    EXPECT_EQ(packed.Number(PairNumber::kStrayReplies, i),
              original.stray_replies(static_cast<StrayReply>(i)));
  }
  EXPECT_EQ(packed.Number(PairNumber::kFlowRenewals), original.flow_renewals());
  EXPECT_EQ(packed.Number(PairNumber::kConsecutiveFailures),
            original.consecutive_failures());
  EXPECT_EQ(packed.Number(PairNumber::kOutages), original.runs().outages());
  EXPECT_EQ(Nanoseconds(static_cast<std::int64_t>(
                packed.Number(PairNumber::kOutageTime))),
            original.runs().outage_time());
  EXPECT_EQ(time(PairNumber::kLastRtt), original.last_rtt());
  EXPECT_EQ(time(PairNumber::kLastReply), original.last_reply());
  EXPECT_EQ(time(PairNumber::kJitter), original.jitter());
  EXPECT_EQ(packed.NumberIfAny(PairNumber::kReplyTtl), original.reply_ttl());
  EXPECT_EQ(packed.NumberIfAny(PairNumber::kUp).has_value(),
            original.has_state());
  EXPECT_EQ(packed.NumberIfAny(PairNumber::kUp).value_or(0),
            original.up() ? 1U : 0U);
  EXPECT_EQ(time(PairNumber::kUpChanged), original.up_changed());
}

void ExpectEqual(const PackedPairs::Pair& packed, const PairFacts& original) {
  const auto interval = packed.NumberIfAny(PairNumber::kInterval);
  EXPECT_EQ(interval.has_value(), original.traits.interval.count() > 0);
  EXPECT_EQ(interval.value_or(0),
            static_cast<std::uint64_t>(original.traits.interval.count()));
  const auto resolved = packed.NumberIfAny(PairNumber::kResolved);
  EXPECT_EQ(resolved.has_value(), original.traits.has_name);
  EXPECT_EQ(resolved.value_or(0),
            original.traits.has_name && original.resolved ? 1U : 0U);
  const auto addresses = packed.Addresses();
  ASSERT_EQ(addresses.has_value(), original.route.has_value());
  if (!addresses) return;
  EXPECT_EQ(addresses->source, original.route->source);
  EXPECT_EQ(addresses->destination, original.route->destination);
}

class PackedPairsTest : public testing::Test {
 protected:
  PackedPairsTest() { clock_.SetWall(kBegin); }

  // Of a pair to which anything has happened.
  PairSnapshot RandomPair() {
    PairSnapshot pair{ProbeRecorder::Prepare({"g", "s", "d", {}}),
                      PairStats(shapes_, clock_.WallNow()),
                      {}};
    const auto requests = random_() % 60;
    for (unsigned i = 0; i < requests; ++i) Probe(&pair.stats);
    if (random_() % 2 == 0) pair.stats.RecordStrayReply(StrayReply::kLate);
    if (random_() % 2 == 0) pair.stats.RecordFlowRenewal();
    pair.facts.resolved = random_() % 2 == 0;
    pair.facts.traits.has_name = random_() % 2 == 0;
    if (random_() % 4 != 0) pair.facts.traits.interval = Nanoseconds(random_());
    if (random_() % 4 != 0) pair.facts.route = RandomRoute();
    return pair;
  }

  void Note(const PairStats& stats) {
    const Histogram& rtt = stats.rtt();
    seen_.begun_again += rtt.since() != stats.since() ? 1 : 0;
    seen_.widened += rtt.native().widened() ? 1 : 0;
    seen_.coarser += rtt.native().schema() < shapes_.rtt.schema() ? 1 : 0;
    seen_.with_runs +=
        stats.run_lengths() != nullptr && stats.run_lengths()->sum() > 0 ? 1
                                                                         : 0;
    seen_.never_probed += stats.requests() == 0 ? 1 : 0;
  }

  const PairShapes shapes_{
      {.rtt_buckets = {0.0001, 0.001, 0.01}, .native_max_buckets = 10}};
  Seen seen_;

 private:
  IpAddress RandomAddress() {
    static const std::array<IpAddress, 5> all{
        *IpAddress::Parse("192.0.2.255"), *IpAddress::Parse("0.0.0.128"),
        *IpAddress::Parse("2001:db8::ffff:1"), *IpAddress::Parse("::"),
        *IpAddress::Parse("fe80::1%4294967295")};
    return all.at(random_() % all.size());
  }
  Route RandomRoute() {
    Route route{.source = {}, .destination = RandomAddress()};
    if (random_() % 2 == 0) route.source = RandomAddress();
    return route;
  }

  void Probe(PairStats* stats) {
    clock_.SetWall(clock_.WallNow() + std::chrono::minutes(random_() % 10));
    stats->Prepare(shapes_);
    stats->RecordRequest();
    EchoResult result;
    result.outcome =
        random_() % 3 == 0
            ? static_cast<EchoOutcome>(random_() % kEchoOutcomeCount)
            : EchoOutcome::kReply;
    result.rtt = Nanoseconds(1) * (std::int64_t{1} << random_() % 36);
    if (random_() % 4 == 0) result.reply_ttl = random_() % 256;
    if (random_() % 30 == 0) return;  // it stays in flight
    stats->RecordResult(result, shapes_, clock_);
    stats->RecordInSendOrder(
        {SteadyTime(Nanoseconds(random_())), 3, result.outcome}, shapes_,
        clock_);
  }

  std::minstd_rand random_;
  ManualClock clock_{SteadyTime()};
};

TEST_F(PackedPairsTest, GivesBackAllThatIsExposed) {
  std::vector<PairSnapshot> pairs;
  PackedPairs packed(Histogram::Parts::kAll);
  for (int i = 0; i < 3000; ++i) {  // in more than one block
    pairs.push_back(RandomPair());
    packed.push_back(pairs.back());
    Note(pairs.back().stats);
  }
  std::size_t read = 0;
  packed.ForEach(shapes_, [&](PackedPairs::Pair& pair) {
    const PairSnapshot& original = pairs[read++];
    EXPECT_EQ(pair.labels(), original.labels.get());
    ExpectEqual(pair, original.facts);
    ExpectEqual(pair, original.stats);
    ExpectEqual(pair.Rtt(), original.stats.rtt(), shapes_.rtt);
    const Histogram* const lengths = original.stats.run_lengths();
    ExpectEqual(pair.RunLengths(),
                lengths == nullptr ? shapes_.no_runs : *lengths,
                shapes_.run_lengths);
    return !HasFailure();
  });
  EXPECT_EQ(read, pairs.size());
  EXPECT_GT(seen_.begun_again, 0);
  EXPECT_GT(seen_.widened, 0);
  EXPECT_GT(seen_.coarser, 0);
  EXPECT_GT(seen_.with_runs, 0);
  EXPECT_GT(seen_.never_probed, 0);
}

TEST_F(PackedPairsTest, KeepsTheClassicPartAlone) {
  std::vector<PairSnapshot> pairs;
  PackedPairs packed(Histogram::Parts::kClassic);
  for (int i = 0; i < 1000; ++i) {
    pairs.push_back(RandomPair());
    packed.push_back(pairs.back());
  }
  std::size_t read = 0;
  packed.ForEach(shapes_, [&](PackedPairs::Pair& pair) {
    const PairStats& original = pairs[read++].stats;
    ExpectEqual(pair, original);
    EXPECT_EQ(pair.Rtt().counts(), original.rtt().counts());
    EXPECT_EQ(pair.Rtt().sum(), original.rtt().sum());
    EXPECT_EQ(pair.Rtt().native().size(), 0U);
    const Histogram* const lengths = original.run_lengths();
    if (lengths != nullptr) {
      EXPECT_EQ(pair.RunLengths().counts(), lengths->counts());
      EXPECT_EQ(pair.RunLengths().sum(), lengths->sum());
    }
    return !HasFailure();
  });
  EXPECT_EQ(read, pairs.size());
}

TEST_F(PackedPairsTest, IsReadAgainAndAgainAndStopsWhenToldTo) {
  PackedPairs packed(Histogram::Parts::kAll);
  const PairSnapshot pair = RandomPair();
  for (int i = 0; i < 10; ++i) packed.push_back(pair);
  for (int reading = 0; reading < 2; ++reading) {
    int read = 0;
    packed.ForEach(shapes_, [&](PackedPairs::Pair&) { return ++read < 5; });
    EXPECT_EQ(read, 5);
  }
}

TEST(VarintTest, TakesEveryNumberInAsFewBytesAsItNeeds) {
  for (int bits = 0; bits <= 64; ++bits) {
    const std::uint64_t number =
        bits == 0 ? 0
                  : std::numeric_limits<std::uint64_t>::max() >> (64 - bits);
    std::string bytes;
    AppendVarint(number, &bytes);
    EXPECT_EQ(bytes.size(), bits == 0 ? 1U : (bits + 6U) / 7) << bits;
    EXPECT_EQ(VarintSize(number), bytes.size());
    VarintReader reader(bytes.data());
    EXPECT_EQ(reader.Read(), number);
    EXPECT_EQ(reader.next(), bytes.data() + bytes.size());
  }
}

}  // namespace
}  // namespace echo_exporter
