#include "src/service/process_end_windows.h"

#include <thread>

#include "src/base/unique_handle_windows.h"

namespace echo_exporter {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);

bool Exists(DWORD id) {
  const UniqueKernelHandle process(OpenProcess(SYNCHRONIZE, FALSE, id));
  return process || GetLastError() == ERROR_ACCESS_DENIED;
}

}  // namespace

bool AwaitProcessEnd(HANDLE process, DWORD id,
                     std::chrono::milliseconds patience) {
  if (process != nullptr) {
    return WaitForSingleObject(process, static_cast<DWORD>(patience.count())) ==
           WAIT_OBJECT_0;
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (Exists(id)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

}  // namespace echo_exporter
