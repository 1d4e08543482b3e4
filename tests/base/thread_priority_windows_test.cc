#include <windows.h>
#include <gtest/gtest.h>

#include <thread>

#include "src/base/thread_priority.h"

namespace echo_exporter {
namespace {

int Priority() { return GetThreadPriority(GetCurrentThread()); }

TEST(RaisedThreadPriorityWindowsTest, IsOfTheThreadUntilTheEndOfTheScope) {
  int raised = 0;
  int after = 0;
  int other = 0;
  std::thread([&] {
    {
      const RaisedThreadPriority raise;
      raised = Priority();
      std::thread([&other] { other = Priority(); }).join();
    }
    after = Priority();
  }).join();
  EXPECT_EQ(raised, THREAD_PRIORITY_ABOVE_NORMAL);
  EXPECT_EQ(after, THREAD_PRIORITY_NORMAL);
  EXPECT_EQ(other, THREAD_PRIORITY_NORMAL);
}

}  // namespace
}  // namespace echo_exporter
