#include "src/recorder/pair_stats.h"

#include <chrono>
#include <cmath>

namespace echo_exporter {

void PairStats::RecordRequest() {
  ++requests_;
  ++in_flight_;
}

void PairStats::RecordResult(const EchoResult& result,
                             const HistogramShape& rtt_shape,
                             const Clock& clock) {
  --in_flight_;
  const bool is_reply = result.outcome == EchoOutcome::kReply;
  if (is_reply) RecordReply(result, rtt_shape, clock);
  if (!IsOfThisHost(result.outcome)) {
    last_outcome_ = result.outcome;
    losses_ = is_reply ? 0 : losses_ + 1;
  }
  ++outcomes_[static_cast<std::size_t>(result.outcome)];
}

void PairStats::RecordReply(const EchoResult& reply,
                            const HistogramShape& rtt_shape,
                            const Clock& clock) {
  rtt_.Observe(static_cast<std::uint64_t>(reply.rtt.count()), rtt_shape, clock);
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
