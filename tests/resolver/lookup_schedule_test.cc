#include "src/resolver/lookup_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Key = LookupSchedule::Key;
using End = LookupSchedule::End;

/// A schedule with a network, in virtual time.
class Network {
 public:
  explicit Network(const LookupSchedule::Limits& limits = {})
      : schedule_(limits) {}

  /// Names 0 .. count-1.
  void AddNames(Key count, Nanoseconds refresh) {
    for (Key key = 0; key < count; ++key) schedule_.Add(key, refresh, now_);
    due_.resize(count, now_);
    begun_.resize(count, 0);
    refresh_ = refresh;
  }

  /// Every tenth name answers within 5 ms, the others fail after `hang`.
  void LetNineOfTenHang(Nanoseconds hang) { hang_ = hang; }

  void RunFor(Nanoseconds duration) {
    const SteadyTime end = now_ + duration;
    while (now_ < end) {
      BeginAll();
      SteadyTime next = std::min(end, schedule_.NextChange());
      if (!ends_.empty()) next = std::min(next, ends_.begin()->first);
      now_ = std::max(now_, next);
      FinishAll();
    }
  }

  /// The longest time between when a lookup of a name that answers was due and
  /// when it began, since the last call.
  Nanoseconds TakeLongestWait() {
    return std::exchange(longest_wait_, Nanoseconds(0));
  }
  std::size_t TakeMostInProgress() {
    return std::exchange(most_in_progress_, std::size_t{0});
  }
  int begun(Key key) const { return begun_[key]; }

 private:
  bool Answers(Key key) const { return hang_ == hang_.zero() || key % 10 == 0; }

  void BeginAll() {
    while (const auto key = schedule_.Take(now_)) {
      ++begun_[*key];
      const bool answers = Answers(*key);
      if (answers) {
        longest_wait_ = std::max(longest_wait_, now_ - due_[*key]);
      }
      ends_.emplace(now_ + (answers ? milliseconds(5) : hang_), *key);
      most_in_progress_ = std::max(most_in_progress_, ends_.size());
    }
  }

  void FinishAll() {
    while (!ends_.empty() && ends_.begin()->first <= now_) {
      const Key key = ends_.begin()->second;
      ends_.erase(ends_.begin());
      schedule_.Finish(key, Answers(key) ? End::kAnswer : End::kNoAnswer, now_);
      due_[key] = now_ + refresh_;
    }
  }

  LookupSchedule schedule_;
  SteadyTime now_ = SteadyTime(hours(1000));
  Nanoseconds hang_{};
  Nanoseconds refresh_{};
  std::multimap<SteadyTime, Key> ends_;
  std::vector<SteadyTime> due_;  // of the names that answer
  std::vector<int> begun_;
  Nanoseconds longest_wait_{};
  std::size_t most_in_progress_ = 0;
};

TEST(LookupScheduleTest, TenThousandNamesOfWhichNineThousandHang) {
  constexpr Key kNames = 10'000;
  Network network;
  network.AddNames(kNames, minutes(1));
  network.LetNineOfTenHang(seconds(20));
  // What hangs is bounded, so it takes its time to find out about each.
  network.RunFor(minutes(20));
  for (Key key = 0; key < kNames; ++key) ASSERT_GE(network.begun(key), 1);
  EXPECT_LE(network.TakeMostInProgress(), 256U);
  network.TakeLongestWait();
  network.RunFor(hours(2));
  EXPECT_LE(network.TakeLongestWait(), milliseconds(10));
  EXPECT_GE(network.begun(0), 120);
  EXPECT_LE(network.TakeMostInProgress(), 64U + 8U);
}

TEST(LookupScheduleTest, NameServersThatStopAnsweringDelayTheOthersOnce) {
  constexpr Key kNames = 10'000;
  Network network;
  network.AddNames(kNames, minutes(1));
  network.RunFor(minutes(10));
  EXPECT_LE(network.TakeMostInProgress(), 64U);
  network.LetNineOfTenHang(seconds(20));
  network.RunFor(minutes(20));
  EXPECT_LE(network.TakeMostInProgress(), 256U);
  network.TakeLongestWait();
  network.RunFor(hours(2));
  EXPECT_LE(network.TakeLongestWait(), milliseconds(10));
}

TEST(LookupScheduleTest, ANewNameDoesNotWaitForThoseThatHang) {
  Network network;
  network.AddNames(100, minutes(1));
  network.LetNineOfTenHang(hours(1000));
  network.RunFor(minutes(10));
  for (Key key = 0; key < 100; ++key) EXPECT_GE(network.begun(key), 1);
  EXPECT_LE(network.TakeLongestWait(), seconds(3));
}

SteadyTime At(Nanoseconds time) { return SteadyTime(time); }

/// The times between the lookups of one name, if they all end at once.
std::vector<Nanoseconds> Waits(End end, Nanoseconds refresh, int count) {
  LookupSchedule schedule({});
  schedule.Add(7, refresh, At(seconds(0)));
  std::vector<Nanoseconds> waits;
  SteadyTime now = At(seconds(0));
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(schedule.Take(now), Key{7});
    EXPECT_EQ(schedule.Take(now), std::nullopt);
    schedule.Finish(7, end, now);
    waits.push_back(schedule.NextChange() - now);
    now = schedule.NextChange();
  }
  return waits;
}

TEST(LookupScheduleTest, RetriesBackOff) {
  using Times = std::vector<Nanoseconds>;
  EXPECT_EQ(Waits(End::kAnswer, minutes(1), 2),
            (Times{minutes(1), minutes(1)}));
  EXPECT_EQ(
      Waits(End::kNoAnswer, minutes(1), 5),
      (Times{seconds(5), seconds(10), seconds(20), seconds(40), minutes(1)}));
  EXPECT_EQ(Waits(End::kNoSuchName, minutes(1), 4),
            (Times{seconds(10), seconds(20), seconds(40), minutes(1)}));
  EXPECT_EQ(Waits(End::kNoSuchName, hours(24), 40).back(), minutes(4));
  EXPECT_EQ(Waits(End::kNoAnswer, seconds(1), 1), Times{seconds(1)});
}

TEST(LookupScheduleTest, AnAnswerEndsTheBackOff) {
  LookupSchedule schedule({});
  schedule.Add(7, hours(1), At(seconds(0)));
  SteadyTime now = At(seconds(0));
  for (const End end : {End::kNoAnswer, End::kNoAnswer, End::kAnswer}) {
    now = schedule.NextChange();
    ASSERT_TRUE(schedule.Take(now));
    schedule.Finish(7, end, now);
  }
  now = schedule.NextChange();
  ASSERT_TRUE(schedule.Take(now));
  schedule.Finish(7, End::kNoAnswer, now);
  EXPECT_EQ(schedule.NextChange(), now + seconds(5));
}

TEST(LookupScheduleTest, BeginsAnotherLookupWhenTheOthersLastLong) {
  LookupSchedule schedule({.at_once = 1, .patience = milliseconds(250)});
  schedule.Add(1, minutes(1), At(seconds(0)));
  schedule.Add(2, minutes(1), At(seconds(0)));
  EXPECT_EQ(schedule.Take(At(seconds(0))), Key{1});
  EXPECT_EQ(schedule.Take(At(milliseconds(249))), std::nullopt);
  EXPECT_EQ(schedule.NextChange(), At(milliseconds(250)));
  EXPECT_EQ(schedule.Take(At(milliseconds(250))), Key{2});
  EXPECT_EQ(schedule.NextChange(), SteadyTime::max());
}

TEST(LookupScheduleTest, ARetryOfASlowNameIsNotExpectedToBeQuick) {
  LookupSchedule schedule({.at_once = 1});
  schedule.Add(1, minutes(1), At(seconds(0)));
  EXPECT_EQ(schedule.Take(At(seconds(0))), Key{1});
  schedule.Finish(1, End::kNoAnswer, At(seconds(1)));
  EXPECT_EQ(schedule.Take(At(seconds(6))), Key{1});
  schedule.Add(2, minutes(1), At(seconds(6)));
  EXPECT_EQ(schedule.Take(At(seconds(6))), Key{2});
}

TEST(LookupScheduleTest, ForgetsANameButNotItsLookupInProgress) {
  LookupSchedule schedule({.at_once = 1, .of_new = 1});
  schedule.Add(1, minutes(1), At(seconds(0)));
  schedule.Add(2, minutes(1), At(seconds(0)));
  EXPECT_EQ(schedule.Take(At(seconds(0))), Key{1});
  schedule.Remove(1);
  EXPECT_EQ(schedule.Take(At(seconds(1))), std::nullopt);
  schedule.Finish(1, End::kAnswer, At(seconds(2)));
  EXPECT_EQ(schedule.Take(At(seconds(2))), Key{2});
  schedule.Finish(2, End::kAnswer, At(seconds(2)));
  schedule.Remove(2);
  EXPECT_EQ(schedule.NextChange(), SteadyTime::max());
}

}  // namespace
}  // namespace echo_exporter
