#include "src/recorder/packed_pairs.h"

#include <algorithm>
#include <chrono>

namespace echo_exporter {
namespace {

constexpr std::size_t kBlockSize = 256 * 1024;

std::optional<std::uint64_t> CountOf(
    const std::optional<Nanoseconds>& duration) {
  if (!duration) return std::nullopt;
  return static_cast<std::uint64_t>(duration->count());
}

/// Appends numbers of all kinds.
class Packer {
 public:
  explicit Packer(std::string* bytes) : bytes_(bytes) {}

  void operator()(std::uint64_t number) const { AppendVarint(number, bytes_); }
  void operator()(std::int64_t number) const {
    AppendVarint(static_cast<std::uint64_t>(number), bytes_);
  }
  void operator()(const std::optional<std::uint64_t>& number) const {
    AppendVarint(number ? *number + 1 : 0, bytes_);
  }

 private:
  std::string* bytes_;
};

/// Reads them again.
class Unpacker {
 public:
  explicit Unpacker(VarintReader* bytes) : bytes_(bytes) {}

  void operator()(std::uint64_t& number) const { number = bytes_->Read(); }
  void operator()(std::int64_t& number) const {
    number = static_cast<std::int64_t>(bytes_->Read());
  }
  void operator()(std::optional<std::uint64_t>& number) const {
    const std::uint64_t read = bytes_->Read();
    number.reset();
    if (read > 0) number = read - 1;
  }

 private:
  VarintReader* bytes_;
};

/// Calls `use(number)` for each number, always in the same order.
template <typename Numbers, typename Use>
void ForEachNumber(Numbers& numbers, const Use& use) {
  use(numbers.since);
  use(numbers.requests);
  use(numbers.in_flight);
  for (auto& count : numbers.outcomes) use(count);
  for (auto& count : numbers.stray_replies) use(count);
  use(numbers.flow_renewals);
  use(numbers.consecutive_failures);
  use(numbers.outages);
  use(numbers.outage_time);
  use(numbers.last_rtt);
  use(numbers.last_reply);
  use(numbers.jitter);
  use(numbers.reply_ttl);
  use(numbers.up);
  use(numbers.up_changed);
}

}  // namespace

PairNumbers::PairNumbers(const PairStats& stats)
    : since(stats.since().time_since_epoch().count()),
      requests(stats.requests()),
      in_flight(stats.in_flight()),
      flow_renewals(stats.flow_renewals()),
      consecutive_failures(stats.consecutive_failures()),
      outages(stats.runs().outages()),
      outage_time(
          static_cast<std::uint64_t>(stats.runs().outage_time().count())),
      last_rtt(CountOf(stats.last_rtt())),
      last_reply(CountOf(stats.last_reply())),
      jitter(CountOf(stats.jitter())),
      reply_ttl(stats.reply_ttl()),
      up_changed(CountOf(stats.up_changed())) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i] = stats.outcomes(static_cast<EchoOutcome>(i));
  }
  for (std::size_t i = 0; i < stray_replies.size(); ++i) {
    stray_replies[i] = stats.stray_replies(static_cast<StrayReply>(i));
  }
  if (stats.has_state()) up = stats.up() ? 1 : 0;
}

// Of each pair: the length of the rest, the numbers, the length of the RTTs and
// these, and the run lengths, if there are any.
void PackedPairs::Add(const PairSnapshot& pair) {
  statistics_.clear();
  const PairNumbers numbers(pair.stats);
  ForEachNumber(numbers, Packer(&statistics_));
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
    blocks_.emplace_back().reserve(std::max(kBlockSize, most));
  }
  AppendVarint(statistics_.size(), &blocks_.back());
  blocks_.back() += statistics_;
  entries_.push_back({pair.labels, pair.facts});
}

const char* PackedPairs::Pair::ReadFrom(const Entry& entry, const char* at) {
  entry_ = &entry;
  VarintReader reader(at);
  const std::uint64_t size = reader.Read();
  end_ = reader.next() + size;
  ForEachNumber(numbers_, Unpacker(&reader));
  histograms_ = reader.next();
  return end_;
}

const Histogram& PackedPairs::Pair::Rtt() {
  VarintReader reader(histograms_);
  reader.Read();  // their length
  rtt_.ReadFrom(&reader);
  return rtt_;
}

const Histogram& PackedPairs::Pair::RunLengths() {
  VarintReader reader(histograms_);
  const std::uint64_t size = reader.Read();
  reader.Skip(size);
  if (reader.next() == end_) return shapes_.no_runs;
  runs_.ReadFrom(&reader);
  return runs_;
}

}  // namespace echo_exporter
