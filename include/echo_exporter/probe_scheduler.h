#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "echo_exporter/clock.h"
#include "echo_exporter/pair.h"

namespace echo_exporter {

/// Determines when each pair is probed. Pure: it owns no thread and reads no
/// clock; `now` is always an argument.
///
/// Deadlines are absolute: the n-th tick of a pair is at first + n * interval,
/// however late the ticks before it were taken. The first deadlines of a group
/// are spread evenly over its interval.
///
/// A delay of the caller causes no unlimited burst: ticks that are late by a
/// whole interval or more are skipped and counted, and the others are returned
/// at no more than kCatchUpFactor times the rate of all pairs together, after
/// at most BurstLimit() at once.
///
/// A tick costs the same for any number of pairs: those of an interval take
/// turns. It costs the logarithm of the number of different intervals.
///
/// Confined to the dispatcher thread.
class ProbeScheduler {
 public:
  static constexpr int kCatchUpFactor = 4;

  struct Tick {
    PairId pair = 0;
    SteadyTime due;            ///< when it was due
    std::uint64_t missed = 0;  ///< ticks of this pair skipped before it
  };

  /// Pairs that share an interval, of at least a microsecond.
  struct Group {
    std::vector<PairId> pairs;
    Nanoseconds interval{};
  };

  ProbeScheduler() = default;
  ProbeScheduler(const ProbeScheduler&) = delete;
  ProbeScheduler& operator=(const ProbeScheduler&) = delete;

  /// Schedules the pairs, the first ticks of each group spread over
  /// [start, start + interval). A pair that is scheduled already moves to its
  /// new place, one that is in several groups to that in the last. Throws
  /// std::bad_alloc, and has changed nothing then.
  void Schedule(const std::vector<Group>& groups, SteadyTime start);

  /// Removes pairs; unknown ones are ignored.
  void Remove(std::span<const PairId> pairs) noexcept;

  std::size_t pair_count() const { return turns_.size(); }
  /// The different intervals of the pairs.
  std::size_t interval_count() const { return rounds_.size(); }

  /// When TakeDue() will next return a tick; absent without pairs.
  std::optional<SteadyTime> NextDue() const;

  /// Appends the ticks due at `now`, earliest first, and advances each pair to
  /// its next tick. `now` must not decrease between calls. Throws
  /// std::bad_alloc, and has changed nothing then.
  void TakeDue(SteadyTime now, std::vector<Tick>* ticks);

  /// The number of ticks that one call of TakeDue() can return after a long
  /// pause: the usual traffic of 20 ms, and at least 16.
  std::size_t BurstLimit() const;

  /// Ticks of all pairs together in 10^9 seconds; each pair's share is rounded
  /// up.
  std::uint64_t rate() const { return rate_; }

 private:
  struct Round;

  /// The place of a pair in the round of its interval.
  struct Turn {
    PairId pair = 0;
    SteadyTime due{};
    Round* round = nullptr;  ///< null: not yet in one
    Turn* before = nullptr;
    Turn* after = nullptr;
  };

  /// The pairs of one interval, by when they are due. A pair that has had its
  /// turn moves to the end, unless it was late by an interval or more: then its
  /// place is close to that of the pair before it.
  struct Round {
    Nanoseconds interval{};
    Turn* first = nullptr;
    Turn* last = nullptr;
    Turn* latest_put = nullptr;  ///< where to look for the place of the next
  };

  static bool IsEarlier(const Turn& a, const Turn& b);
  static bool Later(const Round* a, const Round* b);
  static void Put(Turn& turn) noexcept;
  static void Take(Turn& turn) noexcept;
  void Leave(Turn& turn) noexcept;
  void Place(const Group& group, SteadyTime start,
             std::vector<Turn*>* placed) noexcept;
  void OrderRounds() noexcept;
  void RefillAllowance(SteadyTime now);

  std::unordered_map<PairId, Turn> turns_;
  std::map<Nanoseconds, Round> rounds_;  ///< by interval
  std::vector<Round*> order_;  ///< a heap of all rounds; the next one is first
  std::uint64_t groups_added_ = 0;
  std::uint64_t rate_ = 0;  ///< an integer: it never drifts
  double allowance_ = 0;
  SteadyTime allowance_time_{};
};

}  // namespace echo_exporter
