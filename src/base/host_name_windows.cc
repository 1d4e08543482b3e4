#include <windows.h>

#include <array>

#include "src/base/host_name.h"
#include "src/base/text_windows.h"

namespace echo_exporter {

std::string OwnHostName() {
  std::array<wchar_t, 256> name{};
  auto size = static_cast<DWORD>(name.size());
  if (!GetComputerNameExW(ComputerNameDnsHostname, name.data(), &size) ||
      size == 0) {
    return "localhost";
  }
  return LowerCase(ToUtf8(name.data()));
}

}  // namespace echo_exporter
