#include "echo_exporter/probe_scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/sanitizers.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kStart{hours(1000)};

std::vector<PairId> Ids(PairId first, std::size_t count) {
  std::vector<PairId> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

void Add(ProbeScheduler& scheduler, std::vector<PairId> pairs,
         Nanoseconds interval, SteadyTime start) {
  scheduler.Schedule({{std::move(pairs), interval}}, start);
}

void Remove(ProbeScheduler& scheduler, const std::vector<PairId>& pairs) {
  scheduler.Remove(pairs);
}

std::vector<ProbeScheduler::Tick> Take(ProbeScheduler& scheduler,
                                       SteadyTime now) {
  std::vector<ProbeScheduler::Tick> ticks;
  scheduler.TakeDue(now, &ticks);
  return ticks;
}

// Runs the scheduler with a caller that is always on time.
std::vector<ProbeScheduler::Tick> RunOnTime(ProbeScheduler& scheduler,
                                            SteadyTime until) {
  std::vector<ProbeScheduler::Tick> ticks;
  while (scheduler.NextDue() && *scheduler.NextDue() < until) {
    scheduler.TakeDue(*scheduler.NextDue(), &ticks);
  }
  return ticks;
}

TEST(ProbeSchedulerTest, HasNothingDueWithoutPairs) {
  ProbeScheduler scheduler;
  EXPECT_EQ(scheduler.NextDue(), std::nullopt);
  EXPECT_TRUE(Take(scheduler, kStart).empty());
}

TEST(ProbeSchedulerTest, SpreadsPairsAcrossOneInterval) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 100), seconds(1), kStart);
  const auto ticks = RunOnTime(scheduler, kStart + seconds(1));
  ASSERT_EQ(ticks.size(), 100u);
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    EXPECT_EQ(ticks[i].due - ticks[i - 1].due, milliseconds(10)) << i;
  }
}

TEST(ProbeSchedulerTest, StartsGroupsOfEqualIntervalApart) {
  ProbeScheduler scheduler;
  for (PairId group = 0; group < 50; ++group) {
    Add(scheduler, Ids(group, 1), seconds(1), kStart);
  }
  const auto ticks = RunOnTime(scheduler, kStart + seconds(1));
  ASSERT_EQ(ticks.size(), 50u);
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    EXPECT_GT(ticks[i].due - ticks[i - 1].due, milliseconds(5)) << i;
    EXPECT_LT(ticks[i].due - ticks[i - 1].due, milliseconds(40)) << i;
  }
}

TEST(ProbeSchedulerTest, KeepsDeadlinesAbsoluteHoweverLateTheyAreTaken) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(7, 1), seconds(1), kStart);
  SteadyTime expected = kStart;
  for (int i = 0; i < 1000; ++i) {
    // A caller that is late by a different part of the interval every time.
    const auto ticks = Take(scheduler, expected + milliseconds(i % 999));
    ASSERT_EQ(ticks.size(), 1u);
    EXPECT_EQ(ticks[0].due, expected);
    EXPECT_EQ(ticks[0].missed, 0u);
    expected += seconds(1);
  }
}

TEST(ProbeSchedulerTest, LosesNoTickAndDoesNotDriftInSixHours) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 10), milliseconds(300), kStart);
  Add(scheduler, Ids(10, 3), seconds(7), kStart);
  std::array<std::uint64_t, 13> counts{};
  std::array<SteadyTime, 13> last{};
  std::vector<ProbeScheduler::Tick> ticks;
  std::minstd_rand lateness;  // of whoever takes them, up to 20 ms
  constexpr unsigned kHours = kSanitizers ? 1 : 6;
  while (*scheduler.NextDue() < kStart + hours(kHours)) {
    ticks.clear();
    scheduler.TakeDue(*scheduler.NextDue() + microseconds(lateness() % 20'000),
                      &ticks);
    // 720,000 ticks: only what is wrong is worth an assertion's time.
    for (const auto& [pair, tick_due, missed] : ticks) {
      const Nanoseconds interval =
          pair < 10 ? Nanoseconds(milliseconds(300)) : Nanoseconds(seconds(7));
      if (missed != 0 ||
          (counts[pair] > 0 && tick_due != last[pair] + interval)) {
        FAIL() << "pair " << pair << ", tick " << counts[pair] << ": missed "
               << missed << ", after " << (tick_due - last[pair]).count()
               << " ns";
      }
      ++counts[pair];
      last[pair] = tick_due;
    }
  }
  for (PairId id = 0; id < 10; ++id) {
    EXPECT_EQ(counts[id], kHours * 12'000) << id;
  }
  for (PairId id = 10; id < 13; ++id) {
    EXPECT_GE(counts[id], kHours * 3600 / 7) << id;
    EXPECT_LE(counts[id], kHours * 3600 / 7 + 1) << id;
  }
}

TEST(ProbeSchedulerTest, SkipsAndCountsTicksThatAreLateByAnInterval) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(3, 1), seconds(1), kStart);
  const auto ticks = Take(scheduler, kStart + milliseconds(5400));
  ASSERT_EQ(ticks.size(), 1u);
  EXPECT_EQ(ticks[0].missed, 5u);
  EXPECT_EQ(ticks[0].due, kStart + seconds(5));
  EXPECT_EQ(scheduler.NextDue(), kStart + seconds(6));
}

TEST(ProbeSchedulerTest, TakesATickThatIsLateByLessThanAnInterval) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(3, 1), seconds(1), kStart);
  const auto ticks = Take(scheduler, kStart + seconds(1) - Nanoseconds(1));
  ASSERT_EQ(ticks.size(), 1u);
  EXPECT_EQ(ticks[0].missed, 0u);
  EXPECT_EQ(ticks[0].due, kStart);
}

TEST(ProbeSchedulerTest, SendsNoCatchUpBurstAfterAPause) {
  ProbeScheduler scheduler;
  constexpr std::size_t kPairs = 5000;
  Add(scheduler, Ids(0, kPairs), seconds(1), kStart);
  EXPECT_EQ(scheduler.BurstLimit(), kPairs / 50);

  // Half a second lost: half of all pairs are overdue at once.
  const SteadyTime resumed = kStart + milliseconds(500);
  std::vector<ProbeScheduler::Tick> ticks;
  scheduler.TakeDue(resumed, &ticks);
  EXPECT_EQ(ticks.size(), scheduler.BurstLimit());

  // From there on, at most four times the ordinary rate, in every window.
  std::vector<SteadyTime> taken;
  SteadyTime now = resumed;
  while (now < kStart + milliseconds(1500)) {
    now = std::max(now, *scheduler.NextDue());
    ticks.clear();
    scheduler.TakeDue(now, &ticks);
    for (const auto& tick : ticks) {
      EXPECT_EQ(tick.missed, 0u);
      taken.push_back(now);
    }
  }
  constexpr Nanoseconds kWindow = milliseconds(10);
  const std::size_t most = 4 * kPairs / 100 + 2;
  for (std::size_t i = 0; i + most < taken.size(); ++i) {
    ASSERT_GT(taken[i + most] - taken[i], kWindow) << i;
  }
  // And the backlog is gone: every tick that was due has been taken.
  EXPECT_GT(*scheduler.NextDue(), now);
  EXPECT_EQ(taken.size() + scheduler.BurstLimit(),
            1 + (now - kStart) / (Nanoseconds(seconds(1)) / kPairs));
}

TEST(ProbeSchedulerTest, DoesNotHoldUpOrdinaryTraffic) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 1000), seconds(1), kStart);
  Add(scheduler, Ids(1000, 333), milliseconds(100), kStart);
  SteadyTime now = kStart;
  while (now < kStart + seconds(3)) {
    now = *scheduler.NextDue();
    for (const auto& tick : Take(scheduler, now)) ASSERT_EQ(tick.due, now);
  }
}

TEST(ProbeSchedulerTest, ToleratesATimerOfOrdinaryWindowsResolution) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 2000), seconds(1), kStart);
  std::size_t taken = 0;
  for (SteadyTime now = kStart; now < kStart + seconds(10);
       now += microseconds(15625)) {
    for (const auto& tick : Take(scheduler, now)) {
      EXPECT_LT(now - tick.due, microseconds(15625));
      ++taken;
    }
  }
  EXPECT_GE(taken, 19960u);
}

TEST(ProbeSchedulerTest, ForgetsARemovedPair) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 3), seconds(1), kStart);
  Remove(scheduler, {1});
  Remove(scheduler, {99});
  EXPECT_EQ(scheduler.pair_count(), 2u);
  std::set<PairId> seen;
  for (const auto& tick : RunOnTime(scheduler, kStart + seconds(3))) {
    seen.insert(tick.pair);
  }
  EXPECT_EQ(seen, (std::set<PairId>{0, 2}));
}

TEST(ProbeSchedulerTest, HasNothingDueAfterTheLastPairIsRemoved) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 2), seconds(1), kStart);
  Remove(scheduler, {0});
  Remove(scheduler, {1});
  EXPECT_EQ(scheduler.NextDue(), std::nullopt);
}

TEST(ProbeSchedulerTest, PutsAPairThatWasRemovedAndAddedAgainOnItsNewSchedule) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(5, 1), seconds(1), kStart + milliseconds(100));
  Remove(scheduler, {5});
  Add(scheduler, Ids(5, 1), seconds(10), kStart);
  const auto ticks = RunOnTime(scheduler, kStart + seconds(25));
  ASSERT_GE(ticks.size(), 2u);
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    EXPECT_EQ(ticks[i].due - ticks[i - 1].due, seconds(10));
  }
}

// The sum of what each pair adds, which is rounded up to a whole number.
std::uint64_t RateOf(Nanoseconds interval) {
  return (1'000'000'000'000'000'000 - 1) /
             static_cast<std::uint64_t>(interval.count()) +
         1;
}

TEST(ProbeSchedulerTest, KeepsNothingOfIntervalsThatNoPairHas) {
  constexpr std::size_t kPairs = 100;
  ProbeScheduler scheduler;
  for (int change = 0; change < 1000; ++change) {
    Add(scheduler, Ids(0, kPairs), seconds(3600 + change),
        kStart + seconds(change));
    ASSERT_EQ(scheduler.interval_count(), 1u);
  }
  EXPECT_EQ(scheduler.pair_count(), kPairs);
  EXPECT_EQ(scheduler.rate(), kPairs * RateOf(seconds(4599)));
}

TEST(ProbeSchedulerTest, KeepsNothingOfPairsThatAreGone) {
  ProbeScheduler scheduler;
  for (PairId i = 0; i < 1000; ++i) {
    Add(scheduler, {i}, seconds(3600 + i), kStart);
    if (i >= 10) Remove(scheduler, {i - 10});
    ASSERT_LE(scheduler.pair_count(), 10u);
    ASSERT_EQ(scheduler.interval_count(), scheduler.pair_count());
  }
}

// What it should do, by looking at all pairs.
class Model {
 public:
  void Add(PairId pair, Nanoseconds interval, SteadyTime first) {
    pairs_[pair] = {first, interval};
  }
  void Remove(PairId pair) { pairs_.erase(pair); }

  std::optional<ProbeScheduler::Tick> Take(SteadyTime now) {
    const auto earliest = std::ranges::min_element(
        pairs_, {}, [](const auto& each) { return each.second.due; });
    if (earliest == pairs_.end() || earliest->second.due > now) {
      return std::nullopt;
    }
    auto& [pair, place] = *earliest;
    ProbeScheduler::Tick tick;
    tick.pair = pair;
    while (place.due + place.interval <= now) {
      place.due += place.interval;
      ++tick.missed;
    }
    tick.due = std::exchange(place.due, place.due + place.interval);
    return tick;
  }

 private:
  struct Place {
    SteadyTime due;
    Nanoseconds interval;
  };
  std::map<PairId, Place> pairs_;
};

TEST(ProbeSchedulerTest, TakesWhatALookAtAllPairsWouldTake) {
  std::minstd_rand random;
  ProbeScheduler scheduler;
  Model model;
  SteadyTime now = kStart;
  std::size_t taken = 0;
  int groups = 0;
  for (int step = 0; step < 5000; ++step) {
    const auto pair = static_cast<PairId>(random() % 40);
    if (const auto kind = random() % 100; kind < 10) {
      const Nanoseconds interval = milliseconds(50 << random() % 3);
      Add(scheduler, {pair}, interval, now);
      // By what the golden ratio gives this group.
      const double offset =
          std::fmod(static_cast<double>(groups++) * 0.6180339887498949, 1.0);
      model.Add(pair, interval,
                now + Nanoseconds(static_cast<std::int64_t>(
                          offset * static_cast<double>(interval.count()))));
    } else if (kind < 15) {
      Remove(scheduler, {pair});
      model.Remove(pair);
    }
    // Mostly on time, sometimes late by many intervals.
    now += random() % 20 == 0 ? milliseconds(random() % 1000)
                              : microseconds(random() % 5000);
    const auto ticks = Take(scheduler, now);
    for (const auto& tick : ticks) {
      const auto expected = model.Take(now);
      ASSERT_TRUE(expected) << step;
      ASSERT_EQ(tick.pair, expected->pair) << step;
      ASSERT_EQ(tick.due, expected->due) << step;
      ASSERT_EQ(tick.missed, expected->missed) << step;
    }
    taken += ticks.size();
  }
  EXPECT_GT(taken, 5000u);
}

TEST(ProbeSchedulerTest, ItsRateIsExactWhateverComesAndGoes) {
  ProbeScheduler scheduler;
  std::minstd_rand random;
  std::map<PairId, Nanoseconds> expected;
  const auto change = [&] {
    const auto pair = static_cast<PairId>(random() % 50);
    if (random() % 3 == 0) {
      Remove(scheduler, {pair});
      expected.erase(pair);
      return;
    }
    // From 10 ms to an hour, of many magnitudes.
    const Nanoseconds interval =
        milliseconds(10 << random() % 19) + Nanoseconds(random() % 1000);
    Add(scheduler, {pair}, interval, kStart);
    expected[pair] = interval;
  };
  for (int i = 0; i < 20'000; ++i) {
    change();
    std::uint64_t rate = 0;
    for (const auto& [pair, interval] : expected) rate += RateOf(interval);
    ASSERT_EQ(scheduler.rate(), rate) << i;
  }
}

// Rounding errors of what was removed were larger than what remained.
TEST(ProbeSchedulerTest, GoesOnWithASlowPairAfterManyFastOnesAreGone) {
  ProbeScheduler scheduler;
  Add(scheduler, {0}, hours(1), kStart);
  for (int round = 0; round < 100; ++round) {
    Add(scheduler, Ids(1, 1000), milliseconds(10) + Nanoseconds(round), kStart);
    Remove(scheduler, Ids(1, 1000));
  }
  EXPECT_EQ(scheduler.rate(), RateOf(hours(1)));
  int ticks = 0;
  while (ticks < 100) {
    const auto due = scheduler.NextDue();
    ASSERT_TRUE(due);
    ASSERT_LE(*due, kStart + hours(ticks + 1));
    ticks += static_cast<int>(Take(scheduler, *due).size());
  }
}

TEST(ProbeSchedulerTest, APairOfSeveralGroupsIsInTheLast) {
  ProbeScheduler scheduler;
  Add(scheduler, Ids(0, 3), seconds(1), kStart);
  scheduler.Schedule({{{4, 5}, seconds(2)}, {{5, 6}, seconds(10)}}, kStart);
  scheduler.Schedule({{{6}, seconds(10)}, {{6}, seconds(10)}}, kStart);
  EXPECT_EQ(scheduler.pair_count(), 6u);
  EXPECT_EQ(scheduler.rate(), 3 * RateOf(seconds(1)) + RateOf(seconds(2)) +
                                  2 * RateOf(seconds(10)));
  std::map<PairId, int> ticks;
  for (const auto& tick : RunOnTime(scheduler, kStart + seconds(20))) {
    ++ticks[tick.pair];
  }
  EXPECT_EQ(ticks, (std::map<PairId, int>{
                       {0, 20}, {1, 20}, {2, 20}, {4, 10}, {5, 2}, {6, 2}}));
}

TEST(ProbeSchedulerTest, MovesAPairThatIsScheduledAlready) {
  ProbeScheduler scheduler;
  Add(scheduler, {5}, seconds(1), kStart);
  Add(scheduler, {5}, seconds(10), kStart + milliseconds(100));
  EXPECT_EQ(scheduler.pair_count(), 1u);
  const auto ticks = RunOnTime(scheduler, kStart + seconds(25));
  ASSERT_GE(ticks.size(), 2u);
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    EXPECT_EQ(ticks[i].due - ticks[i - 1].due, seconds(10));
  }
}

}  // namespace
}  // namespace echo_exporter
