// Implementation notes: GetAddrInfoW() converts names by itself, but it would
// report an invalid one only when it is looked up.

#include <windows.h>

#include <cstddef>

#include "src/base/host_name.h"
#include "src/base/text_windows.h"

namespace echo_exporter {

std::optional<std::string> ToIdnaAscii(const std::string& name) {
  const std::optional<std::wstring> wide = ToValidWide(name);
  if (!wide || wide->empty()) return std::nullopt;
  const int size = static_cast<int>(wide->size());
  const int length = IdnToAscii(0, wide->data(), size, nullptr, 0);
  if (length <= 0) return std::nullopt;
  std::wstring ascii(static_cast<std::size_t>(length), L'\0');
  if (IdnToAscii(0, wide->data(), size, ascii.data(), length) != length) {
    return std::nullopt;
  }
  return ToUtf8(ascii);
}

}  // namespace echo_exporter
