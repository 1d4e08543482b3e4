#include "src/service/process_end_windows.h"

#include <psapi.h>

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace echo_exporter {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);

bool IsListed(DWORD id) {
  std::vector<DWORD> ids(1024);
  DWORD bytes = 0;
  // A list that fills the buffer may not be the whole one.
  while (EnumProcesses(ids.data(),
                       static_cast<DWORD>(ids.size() * sizeof(DWORD)),
                       &bytes) &&
         bytes == ids.size() * sizeof(DWORD)) {
    ids.resize(2 * ids.size());
  }
  ids.resize(bytes / sizeof(DWORD));
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

bool AwaitProcessEnd(HANDLE process, DWORD id,
                     std::chrono::milliseconds patience) {
  if (process != nullptr) {
    return WaitForSingleObject(process, static_cast<DWORD>(patience.count())) ==
           WAIT_OBJECT_0;
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (IsListed(id)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

}  // namespace echo_exporter
