#include "src/transport/icmp_api_windows.h"

#include <algorithm>
#include <thread>

extern "C" {
HANDLE WINAPI IcmpCreateFile();
BOOL WINAPI IcmpCloseHandle(HANDLE icmp);
DWORD WINAPI IcmpSendEcho2Ex(HANDLE icmp, HANDLE event,
                             echo_exporter::ApcRoutine apc, void* apc_context,
                             ULONG source, ULONG destination, void* data,
                             WORD data_size, echo_exporter::IpOptions* options,
                             void* reply, DWORD reply_size, DWORD timeout_ms);
}

namespace echo_exporter {
namespace {

// Through void*, because a direct cast between function pointer types warns.
template <typename Function>
Function FindFunction(HMODULE module, const char* name) {
  if (module == nullptr) return nullptr;
  return reinterpret_cast<Function>(
      reinterpret_cast<void*>(GetProcAddress(module, name)));
}

}  // namespace

IcmpApi SystemIcmpApi() {
  // The IPv6 functions are resolved at run time because not every system that
  // runs this program exports them (Wine 8 does not).
  const HMODULE iphlpapi = GetModuleHandleW(L"iphlpapi.dll");
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  IcmpApi api{};
  api.create_file = &IcmpCreateFile;
  api.close_handle = &IcmpCloseHandle;
  api.send_echo = &IcmpSendEcho2Ex;
  api.create_file6 =
      FindFunction<decltype(api.create_file6)>(iphlpapi, "Icmp6CreateFile");
  api.send_echo6 =
      FindFunction<decltype(api.send_echo6)>(iphlpapi, "Icmp6SendEcho2");
  api.create_event = &CreateEventW;
  api.register_wait = &RegisterWaitForSingleObject;
  api.unregister_wait = &UnregisterWaitEx;
  api.query_counter = &QueryPerformanceCounter;
  api.query_frequency = &QueryPerformanceFrequency;
  api.processors = std::max(std::thread::hardware_concurrency(), 1u);
  api.wine = GetProcAddress(ntdll, "wine_get_version") != nullptr;
  return api;
}

}  // namespace echo_exporter
