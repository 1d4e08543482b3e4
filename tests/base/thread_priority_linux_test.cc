#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "src/base/thread_priority.h"
#include "src/base/thread_schedule_linux.h"

namespace echo_exporter {
namespace {

ThreadSchedule Schedule() {
  ThreadSchedule schedule;
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, &schedule, sizeof schedule, 0), 0);
  return schedule;
}

TEST(RaisedThreadPriorityLinuxTest, IsOfTheThreadUntilTheEndOfTheScope) {
  const ThreadSchedule before = Schedule();
  if (before.runtime == 0) {
    GTEST_SKIP() << "before Linux 6.12 a thread cannot ask for it";
  }
  ThreadSchedule raised;
  ThreadSchedule after;
  std::thread([&] {
    {
      const RaisedThreadPriority raise;
      raised = Schedule();
    }
    after = Schedule();
  }).join();
  EXPECT_EQ(raised.runtime, 100'000U);
  EXPECT_EQ(raised.policy, before.policy);
  EXPECT_EQ(raised.nice, before.nice);
  EXPECT_EQ(after.runtime, before.runtime);
  EXPECT_EQ(Schedule().runtime, before.runtime);
}

}  // namespace
}  // namespace echo_exporter
