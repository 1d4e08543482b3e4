#pragma once

#include <winsock2.h>  // before windows.h, which would bring its predecessor
#include <windows.h>

#include <memory>

#include "src/base/waiter.h"

namespace echo_exporter {

/// PROCESS_POWER_THROTTLING_STATE, which is not in every SDK's headers.
struct PowerThrottlingState {
  ULONG version;
  ULONG control_mask;  ///< what the process decides itself
  ULONG state_mask;    ///< what of that is throttled
};

/// The system calls that make a process's timers precise, so that a test can
/// be a system that lacks them.
///
/// Immutable after construction.
struct WaiterApi {
  BOOL(WINAPI* set_process_information)
  (HANDLE process, PROCESS_INFORMATION_CLASS what, void* state, DWORD size);
  HANDLE(WINAPI* create_timer)
  (SECURITY_ATTRIBUTES* security, const wchar_t* name, DWORD flags,
   DWORD access);
  UINT(WINAPI* begin_period)(UINT milliseconds);
};

/// CreateWaiter() with injected system calls.
std::unique_ptr<Waiter> CreateWindowsWaiter(const WaiterApi& api);

}  // namespace echo_exporter
