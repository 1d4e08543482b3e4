#include "src/recorder/pair_stats.h"

#include <algorithm>
#include <cmath>

namespace echo_exporter {

namespace {

Nanoseconds RoundToNanoseconds(double seconds) {
  const double nanoseconds = seconds * 1e9;
  // Beyond the largest duration, where the result of llround() is undefined.
  if (nanoseconds >= 0x1p63) return Nanoseconds::max();
  return Nanoseconds(std::llround(nanoseconds));
}

}  // namespace

RttBuckets::RttBuckets(const std::vector<double>& upper_bounds) {
  upper_bounds_.reserve(upper_bounds.size());
  for (const double bound : upper_bounds) {
    upper_bounds_.push_back(RoundToNanoseconds(bound));
  }
}

std::size_t RttBuckets::IndexOf(Nanoseconds rtt) const {
  const auto bound =
      std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), rtt);
  return static_cast<std::size_t>(bound - upper_bounds_.begin());
}

void PairStats::RecordRequest() {
  ++requests_;
  ++in_flight_;
}

void PairStats::RecordResult(const EchoResult& result,
                             const RttBuckets& buckets) {
  --in_flight_;
  const bool is_reply = result.outcome == EchoOutcome::kReply;
  if (is_reply) RecordReply(result, buckets);
  if (!IsOfThisHost(result.outcome)) {
    last_outcome_ = result.outcome;
    losses_ = is_reply ? 0 : losses_ + 1;
  }
  ++outcomes_[static_cast<std::size_t>(result.outcome)];
}

void PairStats::RecordReply(const EchoResult& reply,
                            const RttBuckets& buckets) {
  ++rtt_counts_[buckets.IndexOf(reply.rtt)];
  rtt_sum_ += static_cast<std::uint64_t>(reply.rtt.count());
  if (outcomes(EchoOutcome::kReply) > 0) {
    const Nanoseconds difference =
        std::chrono::abs(reply.rtt - last_reply_rtt_);
    jitter_ += (static_cast<double>(difference.count()) - jitter_) / 16;
  }
  last_reply_rtt_ = reply.rtt;
  reply_ttl_ = reply.reply_ttl;
}

std::optional<Nanoseconds> PairStats::last_rtt() const {
  if (!up()) return std::nullopt;
  return last_reply_rtt_;
}

std::optional<Nanoseconds> PairStats::jitter() const {
  if (outcomes(EchoOutcome::kReply) < 2) return std::nullopt;
  return Nanoseconds(std::llround(jitter_));
}

}  // namespace echo_exporter
