#include "src/base/suspended_time.h"

#include <gtest/gtest.h>

#include "echo_exporter/echo.h"

namespace echo_exporter {
namespace {

TEST(SuspendedTimeTest, StandsStillWhileTheMachineRuns) {
  const Nanoseconds before = Clock::System().SuspendedTime();
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_LT(std::chrono::abs(SuspendedTime() - before), kShortestSuspension);
  }
}

}  // namespace
}  // namespace echo_exporter
