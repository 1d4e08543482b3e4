#ifndef ECHO_EXPORTER_SRC_RECORDER_PAIR_STATS_H_
#define ECHO_EXPORTER_SRC_RECORDER_PAIR_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"
#include "src/recorder/histogram.h"

namespace echo_exporter {

/// The statistics of one pair. A copy is a consistent view.
///
/// Not thread-safe: the owner locks.
class PairStats {
 public:
  /// `since`: when they begin.
  explicit PairStats(const HistogramShape& rtt_shape, WallTime since = {})
      : since_(since), rtt_(rtt_shape, since) {}

  void RecordRequest();

  /// Requires in_flight() > 0 and the shape of the constructor.
  void RecordResult(const EchoResult& result, const HistogramShape& rtt_shape,
                    const Clock& clock);

  void RecordStrayReply(StrayReply kind) {
    ++stray_replies_[static_cast<std::size_t>(kind)];
  }

  void RecordFlowRenewal() { ++flow_renewals_; }

  /// So that assigning other statistics with that shape allocates nothing.
  void ReserveAll(const HistogramShape& rtt_shape) {
    rtt_.ReserveAll(rtt_shape);
  }

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

  /// Not of this host; absent before the first such outcome.
  std::optional<EchoOutcome> last_outcome() const { return last_outcome_; }
  /// Since the last reply.
  std::uint32_t losses() const { return losses_; }
  /// Whether that is a reply.
  bool up() const { return last_outcome_ == EchoOutcome::kReply; }
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

  WallTime since_;
  std::uint64_t requests_ = 0;
  std::array<std::uint64_t, kEchoOutcomeCount> outcomes_{};
  std::array<std::uint64_t, kStrayReplyCount> stray_replies_{};
  std::uint64_t flow_renewals_ = 0;
  Histogram rtt_;
  Nanoseconds last_reply_rtt_{};
  double jitter_ = 0;  ///< nanoseconds
  std::uint32_t in_flight_ = 0;
  std::optional<EchoOutcome> last_outcome_;
  std::uint32_t losses_ = 0;  ///< since the last reply
  std::optional<std::uint8_t> reply_ttl_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_PAIR_STATS_H_
