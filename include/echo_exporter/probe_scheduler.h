#ifndef ECHO_EXPORTER_PROBE_SCHEDULER_H_
#define ECHO_EXPORTER_PROBE_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
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
/// Confined to the dispatcher thread.
class ProbeScheduler {
 public:
  static constexpr int kCatchUpFactor = 4;

  struct Tick {
    PairId pair = 0;
    SteadyTime due;            ///< when it was due
    std::uint64_t missed = 0;  ///< ticks of this pair skipped before it
  };

  /// Adds pairs that share an interval (> 0), their first ticks spread over
  /// [start, start + interval). None of them may have been added already.
  void AddGroup(std::span<const PairId> pairs, Nanoseconds interval,
                SteadyTime start);

  /// Removes a pair; an unknown one is ignored.
  void Remove(PairId pair);

  std::size_t pair_count() const { return pairs_.size(); }

  /// When TakeDue() will next return a tick; absent without pairs.
  std::optional<SteadyTime> NextDue() const;

  /// Appends the ticks due at `now`, earliest first, and advances each pair to
  /// its next tick. `now` must not decrease between calls.
  void TakeDue(SteadyTime now, std::vector<Tick>* ticks);

  /// The number of ticks that one call of TakeDue() can return after a long
  /// pause: the usual traffic of 20 ms, and at least 16.
  std::size_t BurstLimit() const;

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
  void DropDeadEntries();
  void RefillAllowance(SteadyTime now);

  std::unordered_map<PairId, Pair> pairs_;
  std::vector<HeapEntry> heap_;
  std::uint64_t next_generation_ = 0;
  std::uint64_t groups_added_ = 0;
  double rate_ = 0;  ///< ticks a second of all pairs together
  double allowance_ = 0;
  SteadyTime allowance_time_{};
};

}  // namespace echo_exporter

#endif  // ECHO_EXPORTER_PROBE_SCHEDULER_H_
