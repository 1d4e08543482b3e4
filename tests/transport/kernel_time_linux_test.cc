#include <gtest/gtest.h>

#include <chrono>

#include "src/transport/arrival_reader_linux.h"

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kNow{hours(100)};
constexpr Nanoseconds kWall = hours(24 * 365 * 56) + Nanoseconds(123'456'789);

timespec Stamp(Nanoseconds wall) {
  const auto whole = std::chrono::floor<seconds>(wall);
  return {.tv_sec = whole.count(), .tv_nsec = (wall - whole).count()};
}

// A time whose clocks were read twice, `gap` apart, the wall clock having been
// moved by `moved` in between.
KernelTime ReadTwice(Nanoseconds gap, Nanoseconds moved) {
  KernelTime time;
  time.Refresh(kNow - gap, kWall - moved - gap);
  time.Refresh(kNow, kWall);
  return time;
}

TEST(KernelTimeTest, TellsAStampByItsAge) {
  const KernelTime time = ReadTwice(milliseconds(1), Nanoseconds(0));
  EXPECT_EQ(time.now(), kNow);
  for (const Nanoseconds age :
       {Nanoseconds(0), Nanoseconds(1), Nanoseconds(milliseconds(25)),
        Nanoseconds(seconds(60))}) {
    EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall - age)), kNow - age);
  }
}

TEST(KernelTimeTest, TellsAStampAlreadyAfterTheFirstReading) {
  KernelTime time;
  time.Refresh(kNow, kWall);
  EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall - milliseconds(3))),
            kNow - milliseconds(3));
}

TEST(KernelTimeTest, TellsAStampOfRightAfterTheReading) {
  const KernelTime time = ReadTwice(milliseconds(1), Nanoseconds(0));
  EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall + microseconds(700))),
            kNow + microseconds(700));
}

TEST(KernelTimeTest, DoesNotUseStampsWhenTheWallClockWasSet) {
  for (const Nanoseconds moved :
       {Nanoseconds(hours(1)), -Nanoseconds(hours(1)), Nanoseconds(seconds(1)),
        -Nanoseconds(seconds(1)), Nanoseconds(milliseconds(1)),
        -Nanoseconds(milliseconds(1))}) {
    const KernelTime time = ReadTwice(milliseconds(10), moved);
    // Stamped before the clock was set, and after.
    for (const Nanoseconds wall : {kWall - moved, kWall}) {
      EXPECT_EQ(time.SteadyTimeOf(Stamp(wall - milliseconds(5))), kNow)
          << moved.count();
    }
  }
}

TEST(KernelTimeTest, UsesStampsAgainAfterTheNextReading) {
  KernelTime time = ReadTwice(milliseconds(10), hours(1));
  time.Refresh(kNow + milliseconds(10), kWall + milliseconds(10));
  EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall + milliseconds(4))),
            kNow + milliseconds(4));
}

TEST(KernelTimeTest, DoesNotUseStampsFromBeforeOrAfterTheirTime) {
  // As when the clock is set between the reading and the stamp.
  const KernelTime time = ReadTwice(milliseconds(10), Nanoseconds(0));
  EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall - hours(1))), kNow);
  EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall + hours(1))), kNow);
  EXPECT_EQ(time.SteadyTimeOf(Stamp(Nanoseconds(0))), kNow);
}

TEST(KernelTimeTest, UsesStampsOfTheTimeInWhichThisProcessWasStopped) {
  for (const Nanoseconds gap :
       {Nanoseconds(seconds(130)), Nanoseconds(hours(100))}) {
    const KernelTime time = ReadTwice(gap, Nanoseconds(0));
    EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall - gap)), kNow - gap);
  }
}

TEST(KernelTimeTest, DoesNotTakeSlewForAStep) {
  // adjtimex(2): at most 500 parts in a million.
  for (const Nanoseconds gap :
       {Nanoseconds(milliseconds(1)), Nanoseconds(seconds(1)),
        Nanoseconds(seconds(60)), Nanoseconds(hours(1))}) {
    for (const Nanoseconds moved : {gap / 2000, -gap / 2000}) {
      const KernelTime time = ReadTwice(gap, moved);
      EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall - milliseconds(5))),
                kNow - milliseconds(5))
          << gap.count();
    }
  }
}

TEST(KernelTimeTest, DoesNotTakeAnErrorOfReadingForAStep) {
  for (const Nanoseconds error : {microseconds(100), microseconds(-100)}) {
    const KernelTime time = ReadTwice(Nanoseconds(0), error);
    EXPECT_EQ(time.SteadyTimeOf(Stamp(kWall - milliseconds(5))),
              kNow - milliseconds(5));
  }
}

TEST(KernelTimeTest, ReadsTheClocksOfThisMachine) {
  KernelTime time;
  const SteadyTime before = std::chrono::steady_clock::now();
  time.Refresh();
  timespec stamp;
  clock_gettime(CLOCK_REALTIME, &stamp);
  const SteadyTime after = std::chrono::steady_clock::now();
  EXPECT_GE(time.now(), before);
  EXPECT_LE(time.now(), after);
  EXPECT_GE(time.SteadyTimeOf(stamp), time.now() - milliseconds(100));
  EXPECT_LE(time.SteadyTimeOf(stamp), after + milliseconds(100));
}

}  // namespace
}  // namespace echo_exporter
