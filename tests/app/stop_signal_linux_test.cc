#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "src/app/stop_signal.h"

namespace echo_exporter {
namespace {

// In a child process: signals are for a whole process.
using StopSignalDeathTest = testing::TestWithParam<int>;

TEST_P(StopSignalDeathTest, StopsAtASignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto stop = StopSignal::Create();
        raise(GetParam());
        stop->Wait();
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST_P(StopSignalDeathTest, EndsAtOnceAtTheSecondSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto stop = StopSignal::Create();
        raise(GetParam());
        raise(GetParam());
        std::_Exit(0);
      },
      testing::KilledBySignal(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Signals, StopSignalDeathTest,
                         testing::Values(SIGINT, SIGTERM));

}  // namespace
}  // namespace echo_exporter
