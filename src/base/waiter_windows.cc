// Implementation notes:
//   a) Sleep() and wait timeouts end on the system tick, 15.6 ms apart. A
//      high-resolution waitable timer (Windows 10 1803 and later) is precise
//      without changing the tick. Before it, timeBeginPeriod() makes the whole
//      system tick every millisecond, until this process ends.
//   b) Timers run on interrupt time, deadlines on the performance counter
//      (which std::chrono::steady_clock reads). Relative due times, counted
//      again from the steady clock after each early return, keep the two from
//      drifting apart; a relative timer also does not count time asleep.
//   c) Windows 11 coarsens timers of processes it believes to be in the
//      background, and slows their threads, unless they ask it not to.

#include "src/base/waiter_windows.h"

#include <timeapi.h>

#include <array>
#include <system_error>

#include "src/base/unique_handle_windows.h"

namespace echo_exporter {
namespace {

// Not in every SDK's headers; values from the documentation of
// CreateWaitableTimerExW and PROCESS_POWER_THROTTLING_STATE.
constexpr DWORD kHighResolutionTimer = 0x2;
constexpr PROCESS_INFORMATION_CLASS kPowerThrottling =
    static_cast<PROCESS_INFORMATION_CLASS>(4);
constexpr ULONG kThrottleExecutionSpeed = 0x1;
constexpr ULONG kThrottleTimerResolution = 0x4;

// A call sets the whole state: what its control mask leaves out is the system's
// to decide again. So there is one call for both, and a second only where the
// system rejects the first because it does not know the timer resolution, which
// it does not throttle then (Windows 10).
void OptOutOfPowerThrottling(const WaiterApi& api) {
  for (const ULONG mask : {kThrottleExecutionSpeed | kThrottleTimerResolution,
                           kThrottleExecutionSpeed}) {
    PowerThrottlingState state{
        .version = 1, .control_mask = mask, .state_mask = 0};
    if (api.set_process_information(GetCurrentProcess(), kPowerThrottling,
                                    &state, sizeof(state))) {
      return;
    }
  }
}

UniqueKernelHandle CreateTimer(const WaiterApi& api) {
  UniqueKernelHandle timer(api.create_timer(
      nullptr, nullptr, kHighResolutionTimer, TIMER_ALL_ACCESS));
  if (!timer) {
    api.begin_period(1);
    timer.reset(api.create_timer(nullptr, nullptr, 0, TIMER_ALL_ACCESS));
  }
  return timer;
}

[[noreturn]] void ThrowLastError(const char* what) {
  throw std::system_error(static_cast<int>(GetLastError()),
                          std::system_category(), what);
}

class WindowsWaiter final : public Waiter {
 public:
  explicit WindowsWaiter(const WaiterApi& api)
      : wake_(CreateEventW(nullptr, FALSE, FALSE, nullptr)),
        timer_(CreateTimer(api)) {
    if (!wake_ || !timer_) ThrowLastError("creating a timer");
  }

  void WaitUntil(std::optional<SteadyTime> deadline) override {
    Nanoseconds left = LeftUntil(deadline);
    if (left <= kEarliness) {
      CheckWait(WaitForWake(0));
      return;
    }
    // Repeated when the timer fired early.
    do {
      const DWORD waited =
          deadline ? WaitForWakeOrTimer(left) : WaitForWake(INFINITE);
      CheckWait(waited);
      if (waited == WAIT_OBJECT_0) return;
      left = LeftUntil(deadline);
    } while (left > kEarliness);
  }

  void Wake() override { SetEvent(wake_.get()); }

 private:
  using TimerTicks = std::chrono::duration<LONGLONG, std::ratio<1, 10'000'000>>;

  // How early a return may be: arming the timer again for a shorter time would
  // delay the return by more than that.
  static constexpr Nanoseconds kEarliness = std::chrono::microseconds(1);

  static Nanoseconds LeftUntil(std::optional<SteadyTime> deadline) {
    if (!deadline) return Nanoseconds::max();
    return *deadline - std::chrono::steady_clock::now();
  }

  static void CheckWait(DWORD waited) {
    if (waited == WAIT_FAILED) ThrowLastError("waiting for a timer");
  }

  DWORD WaitForWake(DWORD milliseconds) {
    return WaitForSingleObject(wake_.get(), milliseconds);
  }

  // The wake event comes first: when both are signalled, the wait reports and
  // resets only the first.
  DWORD WaitForWakeOrTimer(Nanoseconds left) {
    LARGE_INTEGER due;
    due.QuadPart = -std::chrono::ceil<TimerTicks>(left).count();
    if (!SetWaitableTimer(timer_.get(), &due, 0, nullptr, nullptr, FALSE)) {
      return WAIT_FAILED;
    }
    const std::array<HANDLE, 2> handles = {wake_.get(), timer_.get()};
    return WaitForMultipleObjects(static_cast<DWORD>(handles.size()),
                                  handles.data(), FALSE, INFINITE);
  }

  const UniqueKernelHandle wake_;
  const UniqueKernelHandle timer_;
};

}  // namespace

std::unique_ptr<Waiter> CreateWindowsWaiter(const WaiterApi& api) {
  OptOutOfPowerThrottling(api);
  return std::make_unique<WindowsWaiter>(api);
}

std::unique_ptr<Waiter> CreateWaiter() {
  return CreateWindowsWaiter({.set_process_information = &SetProcessInformation,
                              .create_timer = &CreateWaitableTimerExW,
                              .begin_period = &timeBeginPeriod});
}

}  // namespace echo_exporter
