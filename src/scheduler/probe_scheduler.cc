#include "echo_exporter/probe_scheduler.h"

#include <algorithm>
#include <cmath>

namespace echo_exporter {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr double kBurstSeconds = 0.020;
constexpr double kSmallestBurst = 16;

// The fractional parts of its multiples fill an interval evenly, whatever their
// number: successive groups with the same interval do not start together.
constexpr double kGoldenRatio = 0.6180339887498949;

double RateOf(Nanoseconds interval) {
  return kNanosecondsPerSecond / static_cast<double>(interval.count());
}

}  // namespace

bool ProbeScheduler::Later(const HeapEntry& a, const HeapEntry& b) {
  // Ties are broken by id, so that the order never depends on the heap's
  // history.
  return a.due != b.due ? a.due > b.due : a.pair > b.pair;
}

void ProbeScheduler::AddGroup(std::span<const PairId> pairs,
                              Nanoseconds interval, SteadyTime start) {
  if (pairs.empty()) return;
  const double step =
      static_cast<double>(interval.count()) / static_cast<double>(pairs.size());
  const double offset =
      std::fmod(static_cast<double>(groups_added_++) * kGoldenRatio, 1.0);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Nanoseconds phase(
        static_cast<std::int64_t>((static_cast<double>(i) + offset) * step));
    const std::uint64_t generation = next_generation_++;
    pairs_.emplace(pairs[i], Pair{interval, generation});
    heap_.push_back({start + phase, pairs[i], generation});
  }
  std::make_heap(heap_.begin(), heap_.end(), Later);
  rate_ += RateOf(interval) * static_cast<double>(pairs.size());
  allowance_ = static_cast<double>(BurstLimit());
}

void ProbeScheduler::Remove(PairId pair) {
  const auto found = pairs_.find(pair);
  if (found == pairs_.end()) return;
  rate_ -= RateOf(found->second.interval);
  pairs_.erase(found);
  if (pairs_.empty()) rate_ = 0;  // removes rounding errors
  DropDeadEntries();
}

// Entries of removed pairs stay in the heap until they reach the top.
void ProbeScheduler::DropDeadEntries() {
  while (!heap_.empty()) {
    const HeapEntry& top = heap_.front();
    const auto found = pairs_.find(top.pair);
    if (found != pairs_.end() && found->second.generation == top.generation) {
      return;
    }
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    heap_.pop_back();
  }
}

std::size_t ProbeScheduler::BurstLimit() const {
  return static_cast<std::size_t>(
      std::max(kSmallestBurst, rate_ * kBurstSeconds));
}

void ProbeScheduler::RefillAllowance(SteadyTime now) {
  const double elapsed = static_cast<double>((now - allowance_time_).count()) /
                         kNanosecondsPerSecond;
  allowance_time_ = now;
  allowance_ = std::min(allowance_ + elapsed * rate_ * kCatchUpFactor,
                        static_cast<double>(BurstLimit()));
}

std::optional<SteadyTime> ProbeScheduler::NextDue() const {
  if (heap_.empty()) return std::nullopt;
  const SteadyTime due = heap_.front().due;
  if (allowance_ >= 1) return due;
  const double wait = (1 - allowance_) / (rate_ * kCatchUpFactor);
  return std::max(
      due, allowance_time_ + Nanoseconds(static_cast<std::int64_t>(
                                 std::ceil(wait * kNanosecondsPerSecond))));
}

void ProbeScheduler::TakeDue(SteadyTime now, std::vector<Tick>* ticks) {
  RefillAllowance(now);
  while (!heap_.empty() && heap_.front().due <= now && allowance_ >= 1) {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    HeapEntry& entry = heap_.back();
    const Nanoseconds interval = pairs_.at(entry.pair).interval;
    const std::int64_t missed = (now - entry.due) / interval;
    const SteadyTime due = entry.due + missed * interval;
    ticks->push_back({entry.pair, due, static_cast<std::uint64_t>(missed)});
    entry.due = due + interval;
    std::push_heap(heap_.begin(), heap_.end(), Later);
    allowance_ -= 1;
    DropDeadEntries();
  }
}

}  // namespace echo_exporter
