// Implementation notes:
//   a) The working set stands for resident memory and the private commit for
//      virtual memory; reserved address space is not informative on Windows.
//   b) No process has 0 bytes or handles: Wine returns 0 when it does not know
//      the value.

#include <windows.h>
#include <psapi.h>

#include "src/base/process_stats.h"

namespace echo_exporter {
namespace {

// The kernel's limit for any process ("Kernel Objects" in the Windows
// documentation).
constexpr std::uint64_t kMaxHandles = std::uint64_t{1} << 24;

// 1601 to 1970.
constexpr double kEpochDifferenceSeconds = 11'644'473'600.0;

double ToSeconds(const FILETIME& time) {
  const std::uint64_t ticks =
      std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
  return static_cast<double>(ticks) * 100e-9;
}

}  // namespace

ProcessStats ReadProcessStats() {
  const HANDLE process = GetCurrentProcess();
  ProcessStats stats;
  FILETIME created;
  FILETIME exited;
  FILETIME kernel;
  FILETIME user;
  if (GetProcessTimes(process, &created, &exited, &kernel, &user)) {
    stats.cpu_seconds = ToSeconds(kernel) + ToSeconds(user);
    stats.start_time_seconds = ToSeconds(created) - kEpochDifferenceSeconds;
  }
  PROCESS_MEMORY_COUNTERS_EX memory{};
  if (GetProcessMemoryInfo(process,
                           reinterpret_cast<PROCESS_MEMORY_COUNTERS*>(&memory),
                           sizeof(memory))) {
    stats.resident_memory_bytes = memory.WorkingSetSize;
    if (memory.PrivateUsage) stats.virtual_memory_bytes = memory.PrivateUsage;
  }
  DWORD handles = 0;
  if (GetProcessHandleCount(process, &handles) && handles) {
    stats.open_handles = handles;
  }
  stats.max_handles = kMaxHandles;
  return stats;
}

}  // namespace echo_exporter
