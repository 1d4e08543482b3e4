#include "src/base/waiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace echo_exporter {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

TEST(WaiterTest, ReturnsAtOnceWhenTheDeadlineHasPassed) {
  const auto waiter = CreateWaiter();
  waiter->WaitUntil(SteadyTime());
  waiter->WaitUntil(Now());
  waiter->WaitUntil(Now() - hours(1));
}

TEST(WaiterTest, NeverReturnsEarly) {
  const auto waiter = CreateWaiter();
  for (const Nanoseconds wait :
       {Nanoseconds(1), Nanoseconds(999), Nanoseconds(1001),
        Nanoseconds(123'456), Nanoseconds(1'000'001), Nanoseconds(3'333'333)}) {
    const SteadyTime deadline = Now() + wait;
    waiter->WaitUntil(deadline);
    EXPECT_GE(Now(), deadline - microseconds(1)) << wait.count();
  }
}

TEST(WaiterTest, RemembersAWakeThatCameBeforeTheWait) {
  const auto waiter = CreateWaiter();
  waiter->Wake();
  waiter->Wake();
  waiter->WaitUntil(std::nullopt);
}

TEST(WaiterTest, TakesAWakeForOneWaitOnly) {
  const auto waiter = CreateWaiter();
  waiter->Wake();
  waiter->Wake();
  waiter->WaitUntil(Now() + hours(1));
  const SteadyTime deadline = Now() + milliseconds(2);
  waiter->WaitUntil(deadline);
  EXPECT_GE(Now(), deadline - microseconds(1));
}

TEST(WaiterTest, TakesAWakeEvenWhenTheDeadlineHasPassed) {
  const auto waiter = CreateWaiter();
  waiter->Wake();
  waiter->WaitUntil(SteadyTime());
  const SteadyTime deadline = Now() + milliseconds(2);
  waiter->WaitUntil(deadline);
  EXPECT_GE(Now(), deadline - microseconds(1));
}

TEST(WaiterTest, ForgetsTheDeadlineOfAWaitThatWasWoken) {
  const auto waiter = CreateWaiter();
  waiter->Wake();
  waiter->WaitUntil(Now() + milliseconds(1));
  const SteadyTime deadline = Now() + milliseconds(5);
  waiter->WaitUntil(deadline);
  EXPECT_GE(Now(), deadline - microseconds(1));
}

TEST(WaiterTest, IsWokenFromAnotherThread) {
  const auto waiter = CreateWaiter();
  for (const auto deadline :
       {std::optional<SteadyTime>(), std::optional(Now() + hours(1))}) {
    std::thread waker([&] { waiter->Wake(); });
    waiter->WaitUntil(deadline);
    waker.join();
  }
}

TEST(WaiterTest, LosesNoWake) {
  const auto requests = CreateWaiter();
  const auto replies = CreateWaiter();
  std::atomic<int> request = 0;
  constexpr int kRounds = 300;
  std::thread replier([&] {
    for (int i = 1; i <= kRounds; ++i) {
      while (request < i) requests->WaitUntil(std::nullopt);
      replies->Wake();
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    request = i;
    requests->Wake();
    replies->WaitUntil(std::nullopt);
  }
  replier.join();
}

}  // namespace
}  // namespace echo_exporter
