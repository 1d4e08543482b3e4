#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

  /// Schedules the pairs, the first ticks of each group spread over
  /// [start, start + interval). A pair that is scheduled already moves to its
  /// new place. Throws std::bad_alloc, and has changed nothing then.
  void Schedule(const std::vector<Group>& groups, SteadyTime start);

  /// Removes a pair; an unknown one is ignored.
  void Remove(PairId pair) noexcept;

  std::size_t pair_count() const { return pairs_.size(); }

  /// What it holds: at most two entries a pair and kSpareEntries.
  std::size_t entry_count() const { return heap_.size(); }
  static constexpr std::size_t kSpareEntries = 64;

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
  struct Pair {
    Nanoseconds interval{};
    std::uint64_t generation = 0;  ///< differs from that of dead heap entries
  };
  struct HeapEntry {
    SteadyTime due;
    PairId pair = 0;
    std::uint64_t generation = 0;
  };

  static bool Later(const HeapEntry& a, const HeapEntry& b);
  void Place(const Group& group, SteadyTime start) noexcept;
  bool IsDead(const HeapEntry& entry) const;
  void DropDeadEntries() noexcept;
  void RefillAllowance(SteadyTime now);

  std::unordered_map<PairId, Pair> pairs_;
  std::vector<HeapEntry> heap_;
  std::uint64_t next_generation_ = 0;
  std::uint64_t groups_added_ = 0;
  std::uint64_t rate_ = 0;  ///< an integer: it never drifts
  double allowance_ = 0;
  SteadyTime allowance_time_{};
};

}  // namespace echo_exporter
