#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
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

void WriteToBrokenPipe() {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe(ends.data()), 0);
  close(ends[0]);
  ASSERT_EQ(write(ends[1], "a", 1), -1);
}

TEST(BrokenPipesDeathTest, AreAnErrorOfTheCallOnceIgnored) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        signal(SIGPIPE, SIG_DFL);
        IgnoreBrokenPipes();
        WriteToBrokenPipe();
        std::_Exit(errno == EPIPE ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace echo_exporter
