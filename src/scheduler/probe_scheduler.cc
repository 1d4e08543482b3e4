#include "echo_exporter/probe_scheduler.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace echo_exporter {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;
constexpr std::uint64_t kTicksPerRate = 1'000'000'000;
constexpr double kBurstSeconds = 0.020;
constexpr double kSmallestBurst = 16;

// The fractional parts of its multiples fill an interval evenly, whatever their
// number: successive groups with the same interval do not start together.
constexpr double kGoldenRatio = 0.6180339887498949;

// Not zero for the longest interval, and within bounds for a million pairs with
// the shortest.
std::uint64_t RateOf(Nanoseconds interval) {
  constexpr std::uint64_t kPeriod = kTicksPerRate * 1'000'000'000;
  const auto nanoseconds = static_cast<std::uint64_t>(interval.count());
  return (kPeriod - 1) / nanoseconds + 1;
}

double PerSecond(std::uint64_t rate) {
  return static_cast<double>(rate) / static_cast<double>(kTicksPerRate);
}

}  // namespace

bool ProbeScheduler::Later(const HeapEntry& a, const HeapEntry& b) {
  // Ties are broken by id, so that the order never depends on the heap's
  // history.
  return a.due != b.due ? a.due > b.due : a.pair > b.pair;
}

void ProbeScheduler::Schedule(const std::vector<Group>& groups,
                              SteadyTime start) {
  // All memory comes first.
  std::unordered_map<PairId, Pair> added;
  std::size_t count = 0;
  for (const Group& group : groups) {
    count += group.pairs.size();
    for (const PairId pair : group.pairs) {
      if (!pairs_.contains(pair)) added.try_emplace(pair);
    }
  }
  if (count == 0) return;
  pairs_.reserve(pairs_.size() + added.size());
  // Pairs may come one by one.
  if (heap_.capacity() < heap_.size() + count) {
    heap_.reserve(std::max(heap_.size() + count, 2 * heap_.size()));
  }

  pairs_.merge(added);
  for (const Group& group : groups) Place(group, start);
  DropDeadEntries();
  allowance_ = static_cast<double>(BurstLimit());
}

void ProbeScheduler::Place(const Group& group, SteadyTime start) noexcept {
  if (group.pairs.empty()) return;
  const double step = static_cast<double>(group.interval.count()) /
                      static_cast<double>(group.pairs.size());
  const double offset =
      std::fmod(static_cast<double>(groups_added_++) * kGoldenRatio, 1.0);
  for (std::size_t i = 0; i < group.pairs.size(); ++i) {
    const Nanoseconds phase(
        static_cast<std::int64_t>((static_cast<double>(i) + offset) * step));
    Pair& pair = pairs_.find(group.pairs[i])->second;
    if (pair.interval > Nanoseconds::zero()) rate_ -= RateOf(pair.interval);
    pair = {.interval = group.interval, .generation = next_generation_++};
    rate_ += RateOf(pair.interval);
    heap_.push_back({start + phase, group.pairs[i], pair.generation});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
}

void ProbeScheduler::Remove(PairId pair) noexcept {
  const auto found = pairs_.find(pair);
  if (found == pairs_.end()) return;
  rate_ -= RateOf(found->second.interval);
  pairs_.erase(found);
  DropDeadEntries();
}

bool ProbeScheduler::IsDead(const HeapEntry& entry) const {
  const auto found = pairs_.find(entry.pair);
  return found == pairs_.end() || found->second.generation != entry.generation;
}

// Entries of pairs that were removed or have another place stay in the heap
// until they reach the top, or are as many as the others.
void ProbeScheduler::DropDeadEntries() noexcept {
  if (heap_.size() > 2 * pairs_.size() + kSpareEntries) {
    std::erase_if(heap_, [this](const HeapEntry& e) { return IsDead(e); });
    std::make_heap(heap_.begin(), heap_.end(), Later);
  }
  while (!heap_.empty() && IsDead(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    heap_.pop_back();
  }
}

std::size_t ProbeScheduler::BurstLimit() const {
  return static_cast<std::size_t>(
      std::max(kSmallestBurst, PerSecond(rate_) * kBurstSeconds));
}

void ProbeScheduler::RefillAllowance(SteadyTime now) {
  const double elapsed = static_cast<double>((now - allowance_time_).count()) /
                         kNanosecondsPerSecond;
  allowance_time_ = now;
  allowance_ =
      std::min(allowance_ + elapsed * PerSecond(rate_) * kCatchUpFactor,
               static_cast<double>(BurstLimit()));
}

std::optional<SteadyTime> ProbeScheduler::NextDue() const {
  if (heap_.empty()) return std::nullopt;
  const SteadyTime due = heap_.front().due;
  if (allowance_ >= 1) return due;
  const double wait = (1 - allowance_) / (PerSecond(rate_) * kCatchUpFactor);
  return std::max(
      due, allowance_time_ + Nanoseconds(static_cast<std::int64_t>(
                                 std::ceil(wait * kNanosecondsPerSecond))));
}

void ProbeScheduler::TakeDue(SteadyTime now, std::vector<Tick>* ticks) {
  ticks->reserve(ticks->size() + std::min(BurstLimit(), heap_.size()));
  RefillAllowance(now);
  while (!heap_.empty() && heap_.front().due <= now && allowance_ >= 1) {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    HeapEntry& entry = heap_.back();
    const Nanoseconds interval = pairs_.find(entry.pair)->second.interval;
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
