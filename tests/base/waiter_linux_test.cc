#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "src/base/thread_schedule_linux.h"
#include "src/base/waiter.h"

namespace echo_exporter {
namespace {

ThreadSchedule Schedule() {
  ThreadSchedule schedule;
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, &schedule, sizeof schedule, 0), 0);
  return schedule;
}

TEST(WaiterLinuxTest, OnlyTheThreadThatKeepsDeadlinesRunsBeforeOthers) {
  const ThreadSchedule before = Schedule();
  if (before.runtime == 0) {
    GTEST_SKIP() << "before Linux 6.12 a thread cannot ask for it";
  }
  ThreadSchedule after;
  std::thread([&after] {
    RaiseThreadPriority();
    after = Schedule();
  }).join();
  EXPECT_EQ(after.runtime, 100'000U);
  EXPECT_EQ(after.policy, before.policy);
  EXPECT_EQ(after.nice, before.nice);
  EXPECT_EQ(Schedule().runtime, before.runtime);
}

}  // namespace
}  // namespace echo_exporter
