// Prints how many handles the processes of that name have open. Needed because
// Wine 8 does not answer GetProcessHandleCount(), and says of a process how
// many handles fit into its table.
//
// Usage: handle_count.exe NAME.exe

#include <windows.h>
#include <winternl.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cwchar>
#include <set>
#include <vector>

namespace {

// https://learn.microsoft.com/windows/win32/api/winternl: not in its headers.
constexpr auto kExtendedHandleInformation =
    static_cast<SYSTEM_INFORMATION_CLASS>(64);
struct HandleEntry {
  void* object;
  std::uintptr_t process;
  std::uintptr_t handle;
  ULONG access;
  USHORT creator;
  USHORT type;
  ULONG attributes;
  ULONG reserved;
};
struct HandleList {
  std::uintptr_t count;
  std::uintptr_t reserved;
  HandleEntry entries[1];
};

/// Empty when the system does not answer.
std::vector<std::byte> Query(SYSTEM_INFORMATION_CLASS what) {
  std::vector<std::byte> buffer(1 << 22);
  ULONG size = 0;
  if (NtQuerySystemInformation(what, buffer.data(),
                               static_cast<ULONG>(buffer.size()), &size) != 0) {
    buffer.clear();
  }
  return buffer;
}

}  // namespace

int wmain(int argc, wchar_t** argv) {
  if (argc != 2) return 2;
  const std::vector<std::byte> processes = Query(SystemProcessInformation);
  const std::vector<std::byte> handles = Query(kExtendedHandleInformation);
  if (processes.empty() || handles.empty()) return 1;
  std::set<std::uintptr_t> wanted;
  for (const std::byte* at = processes.data();;) {
    const auto& process =
        *reinterpret_cast<const SYSTEM_PROCESS_INFORMATION*>(at);
    const wchar_t* const name = process.ImageName.Buffer;
    if (name != nullptr && _wcsicmp(name, argv[1]) == 0) {
      wanted.insert(reinterpret_cast<std::uintptr_t>(process.UniqueProcessId));
    }
    if (process.NextEntryOffset == 0) break;
    at += process.NextEntryOffset;
  }
  const auto& list = *reinterpret_cast<const HandleList*>(handles.data());
  unsigned long count = 0;
  for (std::uintptr_t i = 0; i < list.count; ++i) {
    count += wanted.contains(list.entries[i].process);
  }
  std::printf("%lu\n", count);
  return 0;
}
