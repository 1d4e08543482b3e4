#include "src/recorder/packed_pairs.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

namespace echo_exporter {
namespace {

constexpr std::size_t kBlockSize = 262'144;

constexpr auto kNumbers = static_cast<std::size_t>(PairNumber::kEnd);
static_assert(kNumbers <= 32);

/// Those that may be absent are one more than they are, or zero.
using Numbers = std::array<std::uint64_t, kNumbers>;

Numbers NumbersOf(const PairStats& stats) {
  Numbers numbers{};
  const auto at = [&numbers](PairNumber number,
                             std::size_t i = 0) -> std::uint64_t& {
    return numbers[static_cast<std::size_t>(number) + i];
  };
  const auto set = [&at](PairNumber number,
                         const std::optional<Nanoseconds>& duration) {
    if (duration) {
      at(number) = 1 + static_cast<std::uint64_t>(duration->count());
    }
  };
  at(PairNumber::kRequests) = stats.requests();
  at(PairNumber::kInFlight) = stats.in_flight();
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    at(PairNumber::kOutcomes, i) = stats.outcomes(static_cast<EchoOutcome>(i));
  }
  for (std::size_t i = 0; i < kStrayReplyCount; ++i) {
    at(PairNumber::kStrayReplies, i) =
        stats.stray_replies(static_cast<StrayReply>(i));
  }
  at(PairNumber::kFlowRenewals) = stats.flow_renewals();
  at(PairNumber::kConsecutiveFailures) = stats.consecutive_failures();
  at(PairNumber::kOutages) = stats.runs().outages();
  at(PairNumber::kOutageTime) =
      static_cast<std::uint64_t>(stats.runs().outage_time().count());
  set(PairNumber::kLastRtt, stats.last_rtt());
  set(PairNumber::kLastReply, stats.last_reply());
  set(PairNumber::kJitter, stats.jitter());
  if (stats.reply_ttl()) at(PairNumber::kReplyTtl) = 1U + *stats.reply_ttl();
  if (stats.has_state()) at(PairNumber::kUp) = stats.up() ? 2 : 1;
  set(PairNumber::kUpChanged, stats.up_changed());
  return numbers;
}

}  // namespace

// Of each pair: the length of the rest; when it began, after the first one;
// which numbers are not zero, and these; the length of the RTTs and these; and
// the run lengths, if there are any.
void PackedPairs::push_back(const PairSnapshot& pair) {
  if (entries_.empty()) since_ = pair.stats.since();
  statistics_.clear();
  AppendZigzag((pair.stats.since() - since_).count(), &statistics_);
  const Numbers numbers = NumbersOf(pair.stats);
  std::uint32_t present = 0;
  for (std::size_t i = 0; i < kNumbers; ++i) {
    present |= std::uint32_t{numbers[i] != 0} << i;
  }
  AppendVarint(present, &statistics_);
  for (const std::uint64_t number : numbers) {
    if (number != 0) AppendVarint(number, &statistics_);
  }
  histogram_.clear();
  pair.stats.rtt().AppendTo(&histogram_);
  AppendVarint(histogram_.size(), &statistics_);
  statistics_ += histogram_;
  if (const Histogram* const lengths = pair.stats.run_lengths()) {
    lengths->AppendTo(&statistics_);
  }
  constexpr std::size_t kLongestVarint = 10;
  const std::size_t most = statistics_.size() + kLongestVarint;
  if (blocks_.empty() ||
      blocks_.back().capacity() - blocks_.back().size() < most) {
    // A single pair needs no more than it takes.
    blocks_.emplace_back().reserve(
        std::max(most, std::min(kBlockSize, entries_.capacity() * most)));
  }
  AppendVarint(statistics_.size(), &blocks_.back());
  blocks_.back() += statistics_;
  entries_.push_back({pair.labels, pair.facts});
}

const char* PackedPairs::Pair::ReadFrom(const Entry& entry, WallTime since,
                                        const char* at) {
  entry_ = &entry;
  VarintReader reader(at);
  const std::uint64_t size = reader.Read();
  end_ = reader.next() + size;
  since_ = since + WallTime::duration(reader.ReadZigzag());
  present_ = static_cast<std::uint32_t>(reader.Read());
  numbers_ = reader.next();
  return end_;
}

std::uint64_t PackedPairs::Pair::Number(PairNumber first, std::size_t i) const {
  const std::uint32_t bit = std::uint32_t{1}
                            << (static_cast<std::size_t>(first) + i);
  if ((present_ & bit) == 0) return 0;
  VarintReader reader(numbers_);
  reader.SkipNumbers(std::popcount(present_ & (bit - 1)));
  return reader.Read();
}

std::optional<std::uint64_t> PackedPairs::Pair::NumberIfAny(
    PairNumber number) const {
  const std::uint64_t read = Number(number);
  if (read == 0) return std::nullopt;
  return read - 1;
}

VarintReader PackedPairs::Pair::Histograms() const {
  VarintReader reader(numbers_);
  reader.SkipNumbers(std::popcount(present_));
  return reader;
}

const Histogram& PackedPairs::Pair::Rtt() {
  VarintReader reader = Histograms();
  reader.Read();  // their length
  rtt_.ReadFrom(&reader);
  return rtt_;
}

const Histogram& PackedPairs::Pair::RunLengths() {
  VarintReader reader = Histograms();
  const std::uint64_t size = reader.Read();
  reader.SkipBytes(size);
  if (reader.next() == end_) return shapes_.no_runs;
  runs_.ReadFrom(&reader);
  return runs_;
}

}  // namespace echo_exporter
