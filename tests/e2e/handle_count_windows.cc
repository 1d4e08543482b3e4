// Prints how many handles the processes of that name have open, as the kernel
// counts them. Needed because Wine 8 does not answer GetProcessHandleCount().
//
// Usage: handle_count.exe NAME.exe

#include <windows.h>
#include <winternl.h>

#include <cstddef>
#include <cstdio>
#include <cwchar>
#include <vector>

int wmain(int argc, wchar_t** argv) {
  if (argc != 2) return 2;
  std::vector<std::byte> buffer(1 << 20);
  ULONG size = 0;
  if (NtQuerySystemInformation(SystemProcessInformation, buffer.data(),
                               static_cast<ULONG>(buffer.size()), &size) != 0) {
    return 1;
  }
  unsigned long handles = 0;
  const std::byte* at = buffer.data();
  while (true) {
    const auto& process =
        *reinterpret_cast<const SYSTEM_PROCESS_INFORMATION*>(at);
    const wchar_t* const name = process.ImageName.Buffer;
    if (name != nullptr && _wcsicmp(name, argv[1]) == 0) {
      handles += process.HandleCount;
    }
    if (process.NextEntryOffset == 0) break;
    at += process.NextEntryOffset;
  }
  std::printf("%lu\n", handles);
  return 0;
}
