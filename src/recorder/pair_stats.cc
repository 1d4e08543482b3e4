#include "src/recorder/pair_stats.h"

#include <chrono>
#include <cmath>

namespace echo_exporter {

PairShapes::PairShapes(const HistogramOptions& options)
    : rtt(HistogramShape::OfTimes(options.rtt_buckets, options)),
      run_lengths({1, 2, 3, 5, 10, 20, 50, 100}, 1, options, {}),
      no_runs(run_lengths, {}) {}

void PairStats::RecordResult(const EchoResult& result, const PairShapes& shapes,
                             const Clock& clock) {
  --in_flight_;
  const bool is_reply = result.outcome == EchoOutcome::kReply;
  if (is_reply) RecordReply(result, shapes.rtt, clock);
  if (!IsOfThisHost(result.outcome)) losses_ = is_reply ? 0 : losses_ + 1;
  ++outcomes_[static_cast<std::size_t>(result.outcome)];
}

void PairStats::RecordRun(const SentRequest& request, const PairShapes& shapes,
                          const Clock& clock) {
  const bool was_up = up();
  if (const auto length = runs_.Record(request)) {
    run_lengths_.front().Observe(*length, shapes.run_lengths, clock);
  }
  if (up() != was_up) up_changed_ = clock.WallNow().time_since_epoch();
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
  last_reply_ = clock.WallNow().time_since_epoch();
  last_reply_rtt_ = reply.rtt;
  reply_ttl_ = reply.reply_ttl;
}

void PairStats::CopyTo(PairStatistics* statistics) const {
  statistics->requests = requests_;
  statistics->in_flight = in_flight_;
  statistics->outcomes = outcomes_;
  statistics->stray_replies = stray_replies_;
  statistics->flow_renewals = flow_renewals_;
  statistics->up = up();
  statistics->last_outcome = runs_.last_outcome();
  statistics->consecutive_failures = consecutive_failures();
  statistics->in_outage = runs_.is_outage();
  statistics->last_rtt = last_rtt();
  statistics->jitter = jitter();
  statistics->reply_ttl = reply_ttl_;
}

std::uint64_t PairStats::consecutive_failures() const {
  std::uint64_t losses = 0;
  for (std::size_t i = 0; i < kEchoOutcomeCount; ++i) {
    if (IsLoss(static_cast<EchoOutcome>(i))) losses += outcomes_[i];
  }
  return run_lengths() == nullptr ? losses : losses - run_lengths()->sum();
}

std::optional<Nanoseconds> PairStats::last_reply() const {
  if (outcomes(EchoOutcome::kReply) == 0) return std::nullopt;
  return last_reply_;
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
