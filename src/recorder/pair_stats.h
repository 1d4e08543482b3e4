#ifndef ECHO_EXPORTER_SRC_RECORDER_PAIR_STATS_H_
#define ECHO_EXPORTER_SRC_RECORDER_PAIR_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/echo.h"

namespace echo_exporter {

/// The buckets of the RTT histogram, shared by all pairs.
///
/// Immutable after construction.
class RttBuckets {
 public:
  /// Upper bounds in seconds, ascending; each is rounded to whole nanoseconds.
  explicit RttBuckets(const std::vector<double>& upper_bounds);

  /// One more than there are bounds: the last bucket has none.
  std::size_t count() const { return upper_bounds_.size() + 1; }

  /// The first bucket whose bound is not below `rtt`.
  std::size_t IndexOf(Nanoseconds rtt) const;

 private:
  std::vector<Nanoseconds> upper_bounds_;
};

/// The statistics of one pair. A copy is a consistent view; assigning to an
/// object with the same buckets allocates nothing.
///
/// Not thread-safe: the owner locks.
class PairStats {
 public:
  /// `bucket_count` is RttBuckets::count().
  explicit PairStats(std::size_t bucket_count) : rtt_counts_(bucket_count) {}

  void RecordRequest();

  /// Requires in_flight() > 0 and the buckets that this object was created for.
  void RecordResult(const EchoResult& result, const RttBuckets& buckets);

  void RecordStrayReply(StrayReply kind) {
    ++stray_replies_[static_cast<std::size_t>(kind)];
  }

  void RecordFlowRenewal() { ++flow_renewals_; }

  std::uint64_t requests() const { return requests_; }
  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t outcomes(EchoOutcome outcome) const {
    return outcomes_[static_cast<std::size_t>(outcome)];
  }

  std::uint64_t stray_replies(StrayReply kind) const {
    return stray_replies_[static_cast<std::size_t>(kind)];
  }

  std::uint64_t flow_renewals() const { return flow_renewals_; }

  /// Replies by bucket, not cumulative.
  const std::vector<std::uint64_t>& rtt_counts() const { return rtt_counts_; }
  /// Of all replies, in nanoseconds; wraps after a total of 584 years.
  std::uint64_t rtt_sum() const { return rtt_sum_; }

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
  void RecordReply(const EchoResult& reply, const RttBuckets& buckets);

  std::uint64_t requests_ = 0;
  std::array<std::uint64_t, kEchoOutcomeCount> outcomes_{};
  std::array<std::uint64_t, kStrayReplyCount> stray_replies_{};
  std::uint64_t flow_renewals_ = 0;
  std::vector<std::uint64_t> rtt_counts_;
  std::uint64_t rtt_sum_ = 0;
  Nanoseconds last_reply_rtt_{};
  double jitter_ = 0;  ///< nanoseconds
  std::uint32_t in_flight_ = 0;
  std::optional<EchoOutcome> last_outcome_;
  std::uint32_t losses_ = 0;  ///< since the last reply
  std::optional<std::uint8_t> reply_ttl_;
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_SRC_RECORDER_PAIR_STATS_H_
