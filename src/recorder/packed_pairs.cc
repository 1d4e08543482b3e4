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

Numbers NumbersOf(const PairStats& stats, const PairFacts& facts) {
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
  if (facts.traits.has_name) at(PairNumber::kResolved) = facts.resolved ? 2 : 1;
  if (facts.traits.interval > Nanoseconds::zero()) {
    set(PairNumber::kInterval, facts.traits.interval);
  }
  return numbers;
}

void AppendAddress(const IpAddress& address, std::string* packed) {
  const std::size_t size = address.is_v4() ? 4 : 16;
  AppendVarint(size, packed);
  for (std::size_t i = 0; i < size; ++i) {
    packed->push_back(static_cast<char>(address.bytes()[i]));
  }
  if (!address.is_v4()) AppendVarint(address.scope_id(), packed);
}

IpAddress ReadAddress(VarintReader* reader) {
  std::array<std::uint8_t, 16> bytes{};
  const std::uint64_t size = reader->Read();
  std::copy_n(reader->next(), size, bytes.begin());
  reader->SkipBytes(size);
  if (size != bytes.size()) {
    return IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]});
  }
  return IpAddress::V6(bytes, static_cast<std::uint32_t>(reader->Read()));
}

}  // namespace

// Of each pair: the length of the rest; when it began, after the first one;
// which numbers are not zero, and these; the length of the destination's and
// the source's address, and these; the length of the RTTs and these; and the
// run lengths, if there are any.
void PackedPairs::push_back(const PairSnapshot& pair) {
  if (labels_.empty()) since_ = pair.stats.since();
  packed_.clear();
  AppendZigzag((pair.stats.since() - since_).count(), &packed_);
  const Numbers numbers = NumbersOf(pair.stats, pair.facts);
  std::uint32_t present = 0;
  for (std::size_t i = 0; i < kNumbers; ++i) {
    present |= std::uint32_t{numbers[i] != 0} << i;
  }
  AppendVarint(present, &packed_);
  for (const std::uint64_t number : numbers) {
    if (number != 0) AppendVarint(number, &packed_);
  }
  if (const auto& route = pair.facts.route) {
    AppendAddress(route->destination, &part_);
    if (route->source) AppendAddress(*route->source, &part_);
  }
  AppendPart();
  pair.stats.rtt().AppendTo(&part_, parts_);
  AppendPart();
  if (const Histogram* const lengths = pair.stats.run_lengths()) {
    lengths->AppendTo(&packed_, parts_);
  }
  constexpr std::size_t kLongestVarint = 10;
  const std::size_t most = packed_.size() + kLongestVarint;
  if (blocks_.empty() ||
      blocks_.back().capacity() - blocks_.back().size() < most) {
    // A single pair needs no more than it takes.
    blocks_.emplace_back().reserve(
        std::max(most, std::min(kBlockSize, labels_.capacity() * most)));
  }
  AppendVarint(packed_.size(), &blocks_.back());
  blocks_.back() += packed_;
  labels_.push_back(pair.labels);
}

// The part, after its length; it is empty then.
void PackedPairs::AppendPart() {
  AppendVarint(part_.size(), &packed_);
  packed_ += part_;
  part_.clear();
}

const char* PackedPairs::Pair::ReadFrom(const PreparedLabels* labels,
                                        WallTime since, const char* at) {
  labels_ = labels;
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

VarintReader PackedPairs::Pair::AfterNumbers() const {
  VarintReader reader(numbers_);
  reader.SkipNumbers(std::popcount(present_));
  return reader;
}

std::optional<PairAddresses> PackedPairs::Pair::Addresses() const {
  VarintReader reader = AfterNumbers();
  const std::uint64_t size = reader.Read();
  if (size == 0) return std::nullopt;
  const char* const end = reader.next() + size;
  PairAddresses addresses{.source = {}, .destination = ReadAddress(&reader)};
  if (reader.next() != end) addresses.source = ReadAddress(&reader);
  return addresses;
}

VarintReader PackedPairs::Pair::Histograms() const {
  VarintReader reader = AfterNumbers();
  const std::uint64_t size = reader.Read();
  reader.SkipBytes(size);
  return reader;
}

const Histogram& PackedPairs::Pair::Rtt() {
  VarintReader reader = Histograms();
  reader.Read();  // their length
  rtt_.ReadFrom(&reader, parts_);
  return rtt_;
}

const Histogram& PackedPairs::Pair::RunLengths() {
  VarintReader reader = Histograms();
  const std::uint64_t size = reader.Read();
  reader.SkipBytes(size);
  if (reader.next() == end_) return shapes_.no_runs;
  runs_.ReadFrom(&reader, parts_);
  return runs_;
}

}  // namespace echo_exporter
