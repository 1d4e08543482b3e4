#include "src/base/waiter_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace echo_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ULONG kExecutionSpeed = 1;
constexpr ULONG kTimerResolution = 4;

// What the system was asked for, and what it knows.
struct System {
  ULONG throttles = kExecutionSpeed | kTimerResolution;
  bool has_precise_timers = true;
  std::vector<ULONG> opted_out;
  std::vector<DWORD> timer_flags;
  std::vector<UINT> periods;
  PowerThrottlingState state{};
};
System* g_system = nullptr;

BOOL WINAPI SetProcess(HANDLE, PROCESS_INFORMATION_CLASS what, void* state,
                       DWORD size) {
  EXPECT_EQ(static_cast<int>(what), 4);  // ProcessPowerThrottling
  EXPECT_EQ(size, sizeof(PowerThrottlingState));
  const auto asked = *static_cast<const PowerThrottlingState*>(state);
  g_system->opted_out.push_back(asked.control_mask);
  if ((asked.control_mask & ~g_system->throttles) != 0) return FALSE;
  g_system->state = asked;
  return TRUE;
}

HANDLE WINAPI CreateTimer(SECURITY_ATTRIBUTES* security, const wchar_t* name,
                          DWORD flags, DWORD access) {
  g_system->timer_flags.push_back(flags);
  if (flags != 0 && !g_system->has_precise_timers) return nullptr;
  return CreateWaitableTimerExW(security, name, 0, access);
}

UINT WINAPI BeginPeriod(UINT period) {
  g_system->periods.push_back(period);
  return 0;
}

class WaiterWindowsTest : public testing::Test {
 protected:
  WaiterWindowsTest() { g_system = &system_; }
  ~WaiterWindowsTest() override { g_system = nullptr; }

  void CreateWaiter() {
    const auto waiter =
        CreateWindowsWaiter({.set_process_information = &SetProcess,
                             .create_timer = &CreateTimer,
                             .begin_period = &BeginPeriod});
    waiter->Wake();
    waiter->WaitUntil(std::nullopt);
  }

  System system_;
};

// What a call leaves out of its mask is the system's to throttle again.
TEST_F(WaiterWindowsTest, OptsOutOfAllThrottlingWithOneCall) {
  CreateWaiter();
  EXPECT_THAT(system_.opted_out,
              ElementsAre(kExecutionSpeed | kTimerResolution));
  EXPECT_EQ(system_.state.version, 1u);
  EXPECT_EQ(system_.state.control_mask, kExecutionSpeed | kTimerResolution);
  EXPECT_EQ(system_.state.state_mask, 0u);
}

TEST_F(WaiterWindowsTest, OptsOutOfWhatAnOlderSystemThrottles) {
  system_.throttles = kExecutionSpeed;
  CreateWaiter();
  EXPECT_THAT(system_.opted_out,
              ElementsAre(kExecutionSpeed | kTimerResolution, kExecutionSpeed));
  EXPECT_EQ(system_.state.control_mask, kExecutionSpeed);
  EXPECT_EQ(system_.state.state_mask, 0u);
}

TEST_F(WaiterWindowsTest, LeavesTheTickAloneWhereTimersArePrecise) {
  CreateWaiter();
  EXPECT_THAT(system_.timer_flags, ElementsAre(2u));
  EXPECT_THAT(system_.periods, IsEmpty());
}

TEST_F(WaiterWindowsTest, HasTheSystemTickEveryMillisecondWhereTheyAreNot) {
  system_.has_precise_timers = false;
  CreateWaiter();
  EXPECT_THAT(system_.timer_flags, ElementsAre(2u, 0u));
  EXPECT_THAT(system_.periods, ElementsAre(1u));
}

}  // namespace
}  // namespace echo_exporter
