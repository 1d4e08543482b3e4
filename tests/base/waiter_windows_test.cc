#include <windows.h>
#include <gtest/gtest.h>

#include <optional>

#include "src/base/waiter.h"

namespace echo_exporter {
namespace {

// Gives the waiter passed as context a reason to return as well.
void CALLBACK RunAndWake(ULONG_PTR waiter) {
  reinterpret_cast<Waiter*>(waiter)->Wake();
}

void QueueProcedure(Waiter& waiter) {
  ASSERT_NE(QueueUserAPC(&RunAndWake, GetCurrentThread(),
                         reinterpret_cast<ULONG_PTR>(&waiter)),
            0U);
}

TEST(WaiterWindowsTest, RunsQueuedProceduresWhileItWaits) {
  const auto waiter = CreateWaiter();
  QueueProcedure(*waiter);
  waiter->WaitUntil(std::nullopt);
  QueueProcedure(*waiter);
  waiter->WaitUntil(std::chrono::steady_clock::now() + std::chrono::hours(1));
}

TEST(WaiterWindowsTest, RunsQueuedProceduresEvenWhenTheDeadlineHasPassed) {
  const auto waiter = CreateWaiter();
  QueueProcedure(*waiter);
  waiter->WaitUntil(SteadyTime());
  // A procedure still queued would be run by this, and say so.
  EXPECT_EQ(SleepEx(0, TRUE), 0U);
}

}  // namespace
}  // namespace echo_exporter
