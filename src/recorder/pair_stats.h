#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "echo_exporter/probe_recorder.h"
#include "src/recorder/histogram.h"
#include "src/recorder/send_order.h"

namespace echo_exporter {

/// The shapes of the histograms of pairs.
///
/// Immutable after construction.
struct PairShapes {
  explicit PairShapes(const HistogramOptions& options);

  const HistogramShape rtt;
  /// In requests. They never begin again: their sum has to stay exact.
  const HistogramShape run_lengths;
  /// Of a pair that has had none.
  const Histogram no_runs;
};

/// The statistics of one pair. A copy is a consistent view.
///
/// Not thread-safe: the owner locks.
class PairStats {
 public:
  /// `since`: when they begin.
  explicit PairStats(const PairShapes& shapes, WallTime since = {})
      : rtt_(shapes.rtt, since), since_(since) {}

  /// To be called before a request: what ends in this pair from now on needs no
  /// memory. Throws std::bad_alloc.
  void Prepare(const PairShapes& shapes) {
    // A run of losses is ended by the reply to a later request. When that was
    // sent, the loss was in flight, or in `losses_`; or another reply had reset
    // these, and then that one's request or the loss saw the other in flight,
    // or in `losses_`. So one of them has come here. Most pairs lose nothing
    // and have one request in flight: they need no memory for it.
    if ((in_flight_ > 0 || losses_ > 0) && run_lengths_.empty()) {
      run_lengths_.emplace_back(shapes.run_lengths, since_);
    }
  }

  /// Requires Prepare() since the last one.
  void RecordRequest() {
    ++requests_;
    ++in_flight_;
  }

  /// Requires in_flight() > 0 and, as the others, the shapes of the
  /// constructor.
  void RecordResult(const EchoResult& result, const PairShapes& shapes,
                    const Clock& clock);

  /// To be called for each request in the order of sending, once it and all
  /// earlier ones have their results.
  void RecordInSendOrder(const SentRequest& request, const PairShapes& shapes,
                         const Clock& clock) {
    // A reply that follows a reply changes nothing.
    if (request.outcome != EchoOutcome::kReply || !up()) {
      RecordRun(request, shapes, clock);
    }
  }

  void RecordStrayReply(StrayReply kind) {
    ++stray_replies_[static_cast<std::size_t>(kind)];
  }

  void RecordFlowRenewal() { ++flow_renewals_; }

  /// So that assigning other statistics allocates nothing, unless they have
  /// runs.
  void ReserveAll(const PairShapes& shapes) { rtt_.ReserveAll(shapes.rtt); }

  /// Fills in all of `statistics`.
  void CopyTo(PairStatistics* statistics) const;

  WallTime since() const { return since_; }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t outcomes(EchoOutcome outcome) const {
    return outcomes_[static_cast<std::size_t>(outcome)];
  }

  std::uint64_t stray_replies(StrayReply kind) const {
    return stray_replies_[static_cast<std::size_t>(kind)];
  }

  std::uint64_t flow_renewals() const { return flow_renewals_; }

  /// Of all replies, in nanoseconds.
  const Histogram& rtt() const { return rtt_; }

  /// In the order of sending.
  const FailureRuns& runs() const { return runs_; }
  /// Of finished runs, in requests; the sum is the losses in them. Null: there
  /// were none.
  const Histogram* run_lengths() const {
    return run_lengths_.empty() ? nullptr : run_lengths_.data();
  }
  /// Losses that are in no finished run: those of the run that lasts, and those
  /// that wait for the outcome of an earlier request.
  std::uint64_t consecutive_failures() const;
  /// Losses since the last reply, in the order in which results came: a reply
  /// shows that the flow is well, whatever is in flight still.
  std::uint32_t losses() const { return losses_; }
  /// Whether there is an outcome that was not of this host.
  bool has_state() const { return runs_.last_outcome().has_value(); }
  /// Whether the last outcome in the order of sending is a reply.
  bool up() const { return runs_.last_outcome() == EchoOutcome::kReply; }
  /// When up() changed, since 1970; absent before.
  std::optional<Nanoseconds> up_changed() const {
    if (up_changed_ == kNever) return std::nullopt;
    return up_changed_;
  }
  /// When the last reply came, since 1970; absent before the first.
  std::optional<Nanoseconds> last_reply() const;
  /// Absent unless up().
  std::optional<Nanoseconds> last_rtt() const;
  /// RFC 3550 section 6.4.1, with the difference of successive replies' RTTs
  /// for D; absent until there is such a difference, at the second reply.
  std::optional<Nanoseconds> jitter() const;
  /// Of the last reply, also while not up(); absent when it was not reported.
  std::optional<std::uint8_t> reply_ttl() const { return reply_ttl_; }

 private:
  void RecordReply(const EchoResult& reply, const HistogramShape& rtt_shape,
                   const Clock& clock);
  void RecordRun(const SentRequest& request, const PairShapes& shapes,
                 const Clock& clock);

  static constexpr Nanoseconds kNever = Nanoseconds::min();

  // What each reply changes comes first, in few cache lines.
  std::uint64_t requests_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t losses_ = 0;
  std::optional<std::uint8_t> reply_ttl_;
  Nanoseconds last_reply_{};
  Nanoseconds last_reply_rtt_{};
  double jitter_ = 0;  ///< nanoseconds
  FailureRuns runs_;
  Histogram rtt_;
  std::array<std::uint64_t, kEchoOutcomeCount> outcomes_{};
  std::array<std::uint64_t, kStrayReplyCount> stray_replies_{};
  std::uint64_t flow_renewals_ = 0;
  Nanoseconds up_changed_ = kNever;
  std::vector<Histogram> run_lengths_;  ///< one, or none: see Prepare()
  WallTime since_;
};

}  // namespace echo_exporter
