#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "src/service/process_events.h"

namespace echo_exporter {
namespace {

// In a child process: signals are for a whole process.
using ProcessEventsDeathTest = testing::TestWithParam<int>;

TEST_P(ProcessEventsDeathTest, StopsAtASignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto events = ProcessEvents::Create(true);
        raise(GetParam());
        events->WaitFor(std::nullopt);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_P(ProcessEventsDeathTest, EndsAtOnceAtTheSecondSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto events = ProcessEvents::Create(true);
        raise(GetParam());
        raise(GetParam());
        std::_Exit(0);
      },
      testing::KilledBySignal(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Signals, ProcessEventsDeathTest,
                         testing::Values(SIGINT, SIGTERM));

}  // namespace
}  // namespace echo_exporter
