#include "echo_exporter/probe_scheduler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

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

bool ProbeScheduler::IsEarlier(const Turn& a, const Turn& b) {
  // Ties are broken by number, so that the order never depends on the past.
  return a.due != b.due ? a.due < b.due : a.pair < b.pair;
}

bool ProbeScheduler::Later(const Round* a, const Round* b) {
  return IsEarlier(*b->first, *a->first);
}

// Puts a turn that is in no round into its own.
void ProbeScheduler::Put(Turn& turn) noexcept {
  Round& round = *turn.round;
  Turn* before = round.latest_put != nullptr ? round.latest_put : round.last;
  while (before != nullptr && IsEarlier(turn, *before)) before = before->before;
  Turn* after = before != nullptr ? before->after : round.first;
  while (after != nullptr && IsEarlier(*after, turn)) {
    before = std::exchange(after, after->after);
  }
  turn.before = before;
  turn.after = after;
  (before != nullptr ? before->after : round.first) = &turn;
  (after != nullptr ? after->before : round.last) = &turn;
  round.latest_put = &turn;
}

// Takes a turn out of its round.
void ProbeScheduler::Take(Turn& turn) noexcept {
  Round& round = *turn.round;
  (turn.before != nullptr ? turn.before->after : round.first) = turn.after;
  (turn.after != nullptr ? turn.after->before : round.last) = turn.before;
  if (round.latest_put == &turn) round.latest_put = turn.before;
}

void ProbeScheduler::Leave(Turn& turn) noexcept {
  if (turn.round == nullptr) return;
  Take(turn);
  rate_ -= RateOf(turn.round->interval);
  turn.round = nullptr;
}

void ProbeScheduler::Schedule(const std::vector<Group>& groups,
                              SteadyTime start) {
  // All memory comes first.
  std::unordered_map<PairId, Turn> added;
  std::map<Nanoseconds, Round> rounds;
  std::size_t count = 0;
  for (const Group& group : groups) {
    count += group.pairs.size();
    if (!group.pairs.empty()) {
      rounds.try_emplace(group.interval, Round{.interval = group.interval});
    }
    for (const PairId pair : group.pairs) {
      if (!turns_.contains(pair)) added.try_emplace(pair, Turn{.pair = pair});
    }
  }
  if (count == 0) return;
  turns_.reserve(turns_.size() + added.size());
  order_.reserve(rounds_.size() + rounds.size());
  std::vector<Turn*> placed;
  placed.reserve(count);

  turns_.merge(added);
  rounds_.merge(rounds);
  for (const Group& group : groups) {
    for (const PairId pair : group.pairs) Leave(turns_.find(pair)->second);
  }
  for (const Group& group : groups) Place(group, start, &placed);
  // So that each place is close to that of the turn before it.
  std::ranges::sort(placed, [](const Turn* a, const Turn* b) {
    return a->round != b->round ? std::less<>()(a->round, b->round)
                                : IsEarlier(*a, *b);
  });
  placed.erase(std::unique(placed.begin(), placed.end()), placed.end());
  for (Turn* const turn : placed) Put(*turn);
  OrderRounds();
  allowance_ = static_cast<double>(BurstLimit());
}

void ProbeScheduler::Place(const Group& group, SteadyTime start,
                           std::vector<Turn*>* placed) noexcept {
  if (group.pairs.empty()) return;
  Round& round = rounds_.find(group.interval)->second;
  const double step = static_cast<double>(group.interval.count()) /
                      static_cast<double>(group.pairs.size());
  const double offset =
      std::fmod(static_cast<double>(groups_added_++) * kGoldenRatio, 1.0);
  for (std::size_t i = 0; i < group.pairs.size(); ++i) {
    const Nanoseconds phase(
        static_cast<std::int64_t>((static_cast<double>(i) + offset) * step));
    Turn& turn = turns_.find(group.pairs[i])->second;
    // Of another group of these, perhaps.
    if (turn.round != nullptr) rate_ -= RateOf(turn.round->interval);
    turn.round = &round;
    turn.due = start + phase;
    rate_ += RateOf(group.interval);
    placed->push_back(&turn);
  }
}

void ProbeScheduler::Remove(std::span<const PairId> pairs) noexcept {
  for (const PairId pair : pairs) {
    const auto found = turns_.find(pair);
    if (found == turns_.end()) continue;
    Leave(found->second);
    turns_.erase(found);
  }
  OrderRounds();
}

// Requires memory in `order_` for all rounds.
void ProbeScheduler::OrderRounds() noexcept {
  std::erase_if(rounds_,
                [](const auto& each) { return each.second.first == nullptr; });
  order_.clear();
  for (auto& [interval, round] : rounds_) order_.push_back(&round);
  std::ranges::make_heap(order_, Later);
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
  if (order_.empty()) return std::nullopt;
  const SteadyTime due = order_.front()->first->due;
  if (allowance_ >= 1) return due;
  const double wait = (1 - allowance_) / (PerSecond(rate_) * kCatchUpFactor);
  return std::max(
      due, allowance_time_ + Nanoseconds(static_cast<std::int64_t>(
                                 std::ceil(wait * kNanosecondsPerSecond))));
}

void ProbeScheduler::TakeDue(SteadyTime now, std::vector<Tick>* ticks) {
  ticks->reserve(ticks->size() + std::min(BurstLimit(), turns_.size()));
  RefillAllowance(now);
  while (!order_.empty() && allowance_ >= 1) {
    Round& round = *order_.front();
    Turn& turn = *round.first;
    if (turn.due > now) break;
    std::ranges::pop_heap(order_, Later);
    const std::int64_t missed = (now - turn.due) / round.interval;
    const SteadyTime due = turn.due + missed * round.interval;
    ticks->push_back({turn.pair, due, static_cast<std::uint64_t>(missed)});
    Take(turn);
    turn.due = due + round.interval;
    Put(turn);
    std::ranges::push_heap(order_, Later);
    allowance_ -= 1;
  }
}

}  // namespace echo_exporter
